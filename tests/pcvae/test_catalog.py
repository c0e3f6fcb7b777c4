import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

from pcvae.catalog import FIELD, complete, flux_columns, read_table
from pcvae.errors import CatalogError

TABLE = pd.DataFrame(
    {"id": ["a", "b"], "redshift": [0.1, np.nan], "category": ["x", "y"], "log_mass": [10, 11]}
)


def test_a_completed_catalogue_has_every_column_and_keeps_the_others():
    full = complete(TABLE, ("g", "r"))
    known = ["id", "ra", "dec", "survey", "population", "log_sfr_err", "r50", "flux_r_err"]
    assert set(known) <= set(full)
    assert list(full["category"]) == ["x", "y"]
    assert full.columns[-1] == "category"
    assert full["population"].eq(FIELD).all()
    assert full["log_mass"].dtype == np.float64


def test_what_is_unknown_is_nan():
    full = complete(TABLE, ("g",))
    assert full[["ra", "dec", "flux_g", "redshift_err", "orientation"]].isna().all(axis=None)
    assert np.isnan(full["redshift"][1])
    assert full["orientation_flag"].eq(0).all()


def test_completing_twice_changes_nothing():
    once = complete(TABLE, ("g", "r"))
    pd.testing.assert_frame_equal(complete(once, ("g", "r")), once)


def test_ids_are_text_even_when_they_look_like_numbers():
    assert list(complete(pd.DataFrame({"id": [1, 2]}), ())["id"]) == ["1", "2"]


def test_a_catalogue_without_ids_lists_what_it_has():
    with pytest.raises(CatalogError, match="'id', found name, z"):
        complete(pd.DataFrame({"name": ["a"], "z": [0.1]}), ())


def test_an_id_that_occurs_twice_is_named():
    with pytest.raises(CatalogError, match="'a' occurs 2 times"):
        complete(pd.DataFrame({"id": ["a", "b", "a"]}), ())


@pytest.mark.parametrize("nothing", [None, np.nan, "", " "])
def test_a_row_without_an_id_is_named(nothing):
    with pytest.raises(CatalogError, match="an id in every row, row 2 has none"):
        complete(pd.DataFrame({"id": ["a", nothing, "b"]}), ())


def test_words_where_numbers_belong_are_refused():
    with pytest.raises(CatalogError, match="numbers in column 'redshift'"):
        complete(pd.DataFrame({"id": ["a"], "redshift": ["far"]}), ())


@pytest.mark.parametrize("suffix", ["csv", "ecsv", "fits", "vot", "parquet"])
def test_every_format_gives_the_same_table(tmp_path, suffix):
    path = tmp_path / f"catalog.{suffix}"
    if suffix == "csv":
        TABLE.to_csv(path, index=False)
    elif suffix == "parquet":
        TABLE.to_parquet(path)
    else:
        kinds = {"ecsv": "ascii.ecsv", "fits": "fits", "vot": "votable"}
        Table.from_pandas(TABLE).write(path, format=kinds[suffix])
    found = complete(read_table(path), ())
    pd.testing.assert_frame_equal(found, complete(TABLE, ()), check_dtype=False)


def test_long_ids_keep_all_their_digits(tmp_path):
    path = tmp_path / "catalog.csv"
    path.write_text("id,redshift\n303017740078180352,0.1\n0012,0.2\n")
    assert list(read_table(path)["id"]) == ["303017740078180352", "0012"]


def test_a_column_of_ids_under_another_name_keeps_its_digits_too(tmp_path):
    path = tmp_path / "catalog.csv"
    path.write_text("objid,name\n1237648720693755918,007\n,008\n")
    assert list(read_table(path, "name")["name"]) == ["007", "008"]
    assert read_table(path, "objid")["objid"][0] == "1237648720693755918"


def test_only_the_head_of_a_table_may_be_comments(tmp_path):
    path = tmp_path / "catalog.csv"
    path.write_text('# within 2" of\n\n#mine\nid,name,ra\n1,cluster #3,10\n#2,b,20\n')
    table = read_table(path)
    assert table.to_dict("list") == {
        "id": ["1", "#2"],
        "name": ["cluster #3", "b"],
        "ra": [10, 20],
    }


@pytest.mark.parametrize("name", ["catalog.csv", "catalog.txt"])
def test_a_table_that_is_not_there_or_of_another_kind_is_named(tmp_path, name):
    if name.endswith("txt"):
        (tmp_path / name).write_text("id\na\n")
    with pytest.raises(CatalogError, match=name):
        read_table(tmp_path / name)


@pytest.mark.parametrize("suffix", ["csv", "ecsv", "fits", "vot", "parquet"])
def test_a_broken_table_says_what_it_was_taken_for(tmp_path, suffix):
    path = tmp_path / f"catalog.{suffix}"
    path.write_bytes(b'"\x00broken')
    with pytest.raises(CatalogError, match=f"cannot be read as a {suffix} table"):
        read_table(path)


def test_flux_columns_follow_the_bands():
    assert flux_columns(("g", "Z")) == ["flux_g", "flux_Z"]
