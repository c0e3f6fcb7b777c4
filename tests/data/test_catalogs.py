import doctest
import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.cosmology import FlatLambdaCDM, Planck18

from data.published.duplicates import without_duplicates
from data.readers import units
from pcvae.errors import CatalogError, SettingsError
from tests.data.known_tables import ARCSEC, PEAS, SPIRALS, as_bytes, gama, run, zou
from tests.real import needs_real_data


@pytest.fixture
def folder(tmp_path):
    """Files as a person downloads them."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "RedSpiralsA1.txt").write_text(SPIRALS)
    (folder / "peas_tbl4.csv").write_text(PEAS)
    gama().to_csv(folder / "GAMA_query.csv", index=False)
    for name in ("es1.v1.fits", "wcdfs.v1.fits", "xmmlss.v1.fits"):
        (folder / name).write_bytes(as_bytes(zou().assign(RA=zou()["RA"] + len(name))))
    return folder


def test_four_catalogues_become_one_without_a_network(folder, tmp_path):
    table, _ = run(tmp_path / "out", "--from", folder)
    assert table["population"].value_counts().to_dict() == {
        "field": 7,
        "red_spiral": 2,
        "green_pea": 2,
    }
    assert set(table["survey"]) == {"GAMA DR4", "Zou+2022", "Red Spirals", "Green Peas"}
    assert table.index.is_unique
    facts = json.loads((tmp_path / "out" / "sources.json").read_text())["files"]
    assert len(facts) == 6
    digest = hashlib.sha256((folder / "peas_tbl4.csv").read_bytes()).hexdigest()
    assert digest in {one["sha256"] for one in facts}


def test_each_cut_says_how_many_rows_it_removed(folder, tmp_path):
    _, cuts = run(tmp_path / "out", "--from", folder)
    assert cuts.loc["gama", "removed"].tolist() == [0, 1, 1, 1, 0]
    assert cuts.loc["gama", "left"].tolist() == [5, 4, 3, 2, 2]
    assert cuts.loc["zou", "removed"].tolist() == [0, 3, 0, 3, 3]
    assert cuts.loc["all", "removed"].tolist() == [1]
    assert cuts["source"].notna().all()


def test_a_rare_galaxy_stays_rare_and_takes_the_labels_it_lacks(folder, tmp_path):
    table, _ = run(tmp_path / "out", "--from", folder)
    spiral = table.loc["red_spiral_588015509270364319"]
    assert spiral["also"] == "gama_105"
    assert "gama_105" not in table.index
    assert spiral["population"] == "red_spiral"
    assert spiral["redshift"] == 0.0735
    assert spiral["log_mass"] == pytest.approx(10 + farther(0.0735, 67.8, 0.308))
    assert spiral["log_mass_err"] == pytest.approx(np.log10(2))


def farther(z, hubble, matter):
    """What a luminosity grows by [dex] if Planck 2018 takes the place of this cosmology."""
    theirs = FlatLambdaCDM(H0=hubble, Om0=matter).luminosity_distance(z)
    return 2 * np.log10(float(Planck18.luminosity_distance(z) / theirs))


def test_gama_is_converted_from_percentiles(folder, tmp_path):
    table, _ = run(tmp_path / "out", "--from", folder, "--only", "gama")
    good, quenched = table.loc["gama_101"], table.loc["gama_105"]
    shift = farther(0.2, 67.8, 0.308)
    found = good[["redshift", "log_mass", "log_sfr"]].tolist()
    assert found == pytest.approx([0.2, 10 + shift, shift])
    assert good[["log_mass_err", "log_sfr_err"]].tolist() == pytest.approx([np.log10(2)] * 2)
    assert (quenched["log_sfr"], quenched["log_sfr_err"]) == (-4, 1)


def test_gama_is_joined_from_the_surveys_own_files(folder, tmp_path):
    joined, _ = run(tmp_path / "joined", "--from", folder, "--only", "gama")
    sky = ["uberID", "RAcen", "Deccen", "Z", "NQ", "SC"]
    (folder / "GAMA_query.csv").unlink()
    (folder / "gkvScienceCatv02.fits").write_bytes(as_bytes(gama()[sky]))
    fit = gama().drop(columns=sky[1:]).iloc[::-1]
    (folder / "ProSpectv03.fits").write_bytes(as_bytes(fit.assign(CATAID=1)))
    table, _ = run(tmp_path / "out", "--from", folder, "--only", "gama")
    pd.testing.assert_frame_equal(table, joined)
    (folder / "ProSpectv03.fits").unlink()
    with pytest.raises(CatalogError, match=r"StellarMass_50.*found gkvScienceCatv02\.fits"):
        run(tmp_path / "other", "--from", folder, "--only", "gama")


def test_zou_is_converted_from_linear_values(folder, tmp_path):
    table, _ = run(tmp_path / "out", "--from", folder, "--only", "zou")
    assert list(table.index[:2]) == ["zou_es1_1", "zou_es1_2"]
    one, two = table.loc["zou_es1_1"], table.loc["zou_es1_2"]
    shift = farther(0.5, 70, 0.3)
    assert one[["log_mass", "log_mass_err"]].tolist() == pytest.approx([9 + shift, 0.1])
    assert one[["log_sfr", "log_sfr_err"]].tolist() == pytest.approx([1 + shift, 0.1])
    assert np.isnan(one["redshift_err"])
    assert two["redshift_err"] == pytest.approx(0.1)


def test_green_peas_are_converted(folder, tmp_path):
    table, _ = run(tmp_path / "out", "--from", folder, "--only", "green_peas")
    one, two = table.to_dict("records")
    shift = farther(0.3002, 71, 0.3)
    chabrier = [9.76 + np.log10(0.61) + shift, 1 + np.log10(0.63) + shift]
    assert [one["log_mass"], one["log_sfr"]] == pytest.approx(chabrier)
    assert one["oiii_ew"] == 312.8
    assert one["log_sfr_err"] == pytest.approx(0.1)
    assert np.isnan(two["log_sfr"])


def test_a_random_choice_is_seeded_and_reported(folder, tmp_path):
    options = ("--from", folder, "--only", "zou", "--at-most", "zou=3")
    first, cuts = run(tmp_path / "first", *options)
    again, _ = run(tmp_path / "again", *options)
    other, _ = run(tmp_path / "other", *options, "--seed", 3)
    assert len(first) == 3
    assert cuts.loc[("zou", "a random choice of 3"), "removed"] == 3
    assert list(first.index) == list(again.index) != list(other.index)


def test_a_table_of_yours_is_joined_too(folder, tmp_path):
    mine = tmp_path / "kiss.csv"
    mine.write_text("name,RA,dec,z,lgm\nk1,150.0,1.0001,0.31,9.4\nk2,12,13,0.3,-99\n")
    columns = ("--columns", "id=name,ra=RA,redshift=z,log_mass=lgm", "--population", "green_pea")
    table, _ = run(tmp_path / "out", "--from", folder, "--only", "gama", "--table", mine, *columns)
    assert table.loc["k1", "also"] == "gama_101"
    assert table.loc["k1", ["population", "survey", "log_mass"]].tolist() == [
        "green_pea",
        "kiss",
        9.4,
    ]
    assert table.loc["k1", "log_sfr"] == pytest.approx(farther(0.2, 67.8, 0.308))
    assert np.isnan(table.loc["k2", "log_mass"])
    alone, _ = run(tmp_path / "alone", "--only", "none", "--table", mine, *columns)
    assert list(alone.index) == ["k1", "k2"]


def test_ids_of_a_table_of_yours_keep_their_digits(tmp_path):
    mine = tmp_path / "kiss.csv"
    mine.write_text("name,ra,dec\n007,150,1\n1237648720693755918,151,1\n")
    options = ("--only", "none", "--table", mine, "--columns", "id=name")
    table, _ = run(tmp_path / "out", *options)
    assert list(table.index) == ["007", "1237648720693755918"]


def test_one_galaxy_a_place_the_first_is_kept():
    rng = np.random.default_rng(0)
    ra, dec = rng.uniform(0, 360, 200), np.rad2deg(np.arcsin(rng.uniform(-1, 1, 200)))
    near = dec + rng.choice([0.3, 0.9, 1.1, 5.0], 200) * ARCSEC
    table = pd.DataFrame({"ra": np.tile(ra, 2), "dec": np.r_[dec, near], "redshift": 0.1})
    table["id"] = [f"{kind}{row}" for kind in "ab" for row in range(200)]
    kept = without_duplicates(table)
    expected = {f"a{row}" for row in range(200)}
    expected |= {f"b{row}" for row in range(200) if near[row] - dec[row] > ARCSEC}
    assert set(kept["id"]) == expected


def test_the_examples_of_the_conversions_hold():
    found = doctest.testmod(units)
    assert found.attempted > 5
    assert not found.failed


@pytest.mark.parametrize(
    ("percentiles", "value", "error"),
    [
        ((0.0, 1e-40, 1e-2), -4, 1),
        ((0.0, 0.0, 1e-2), -4, 1),
        ((0.0, 0.0, 0.0), -4, 1),
        ((0.0, 1e-3, 1e-2), -3, 1),
        ((np.nan, 1e-40, np.nan), -4, 1),
        ((-999.0, -999.0, -999.0), np.nan, np.nan),
    ],
    ids=["16th", "16th and 50th", "all", "16th alone", "unknown", "no value"],
)
def test_percentiles_too_small_for_a_number_of_four_bytes_are_put_at_the_floor(
    percentiles, value, error
):
    found = units.from_percentiles(*([one] for one in percentiles), floor=-4)
    np.testing.assert_allclose((found.value[0], found.error[0]), (value, error))


@pytest.mark.parametrize(("value", "log", "error"), [(0.0, -4, 1), (1e-9, -4, 1), (1e-3, -3, 0.1)])
def test_linear_values_too_small_are_put_at_the_same_floor(value, log, error):
    found = units.from_linear([value], [value * np.log(10) * 0.1], floor=-4)
    np.testing.assert_allclose((found.value[0], found.error[0]), (log, error))


def test_the_sources_say_which_conventions_the_labels_were_made_with(folder, tmp_path):
    run(tmp_path / "out", "--from", folder, "--only", "green_peas,red_spirals")
    files = json.loads((tmp_path / "out" / "sources.json").read_text())["files"]
    said = {file["catalog"]: file.get("labels", "none") for file in files}
    assert said["green_peas"].startswith("Salpeter (IMF), flat universe of H0 71 km/s/Mpc")
    assert said["red_spirals"] == "none"


def test_rows_without_a_place_are_no_duplicates():
    table = pd.DataFrame({"id": ["a", "b"], "ra": np.nan, "dec": np.nan})
    assert len(without_duplicates(table)) == 2
    assert len(without_duplicates(table.iloc[:1])) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--only", "sdss"], "--only names 'sdss', the catalogues are red_spirals"),
        (["--only", "none"], "nothing to join"),
        (["--tap", "http://127.0.0.1/"], "belong together"),
        (["--at-most", "gama=many"], "expects a number of galaxies"),
        (["--at-most", "sdss=1"], "--at-most names 'sdss'"),
    ],
)
def test_options_that_cannot_work_are_refused(tmp_path, options, message):
    with pytest.raises(SettingsError, match=message):
        run(tmp_path / "out", *options)


def test_missing_and_broken_files_are_named(folder, tmp_path):
    with pytest.raises(CatalogError, match="exists already"):
        run(folder)
    (folder / "RedSpiralsA1.txt").write_text("nothing")
    with pytest.raises(CatalogError, match=r"rows of 11 numbers in .*RedSpiralsA1\.txt"):
        run(tmp_path / "a", "--from", folder)
    (folder / "RedSpiralsA1.txt").unlink()
    with pytest.raises(CatalogError, match=r"expected RedSpiralsA1\.txt .* --only"):
        run(tmp_path / "b", "--from", folder)
    (folder / "peas_tbl4.csv").write_text("# RA,DEC\n1,2\n")
    with pytest.raises(CatalogError, match="expected a column 'DR7OBJID'"):
        run(tmp_path / "c", "--from", folder, "--only", "green_peas")
    (folder / "es1.v1.fits").write_bytes(as_bytes(zou().drop(columns="SFR_gal")))
    with pytest.raises(CatalogError, match="expected a column 'SFR_gal'"):
        run(tmp_path / "d", "--from", folder, "--only", "zou")


@needs_real_data
def test_the_real_rare_galaxies_are_all_there(tmp_path):
    folder = Path(os.environ["PCVAE_REAL_DATA"], "catalogues")
    options = ("--from", folder, "--only", "red_spirals,green_peas")
    table, _ = run(tmp_path / "out", *options)
    assert table["population"].value_counts().to_dict() == {"red_spiral": 294, "green_pea": 80}
    spirals, peas = (table[table["population"] == one] for one in ("red_spiral", "green_pea"))
    assert spirals["redshift"].between(0.03, 0.086).all()
    assert peas["redshift"].between(0.1, 0.37).all()
    assert peas["log_mass"].between(8, 11).all()
    assert peas["log_sfr"].median() == pytest.approx(1, abs=0.3)
    assert peas["oiii_ew"].median() > 200


@needs_real_data
def test_a_real_table_of_a_users_is_joined_by_its_columns(tmp_path):
    table = Path(os.environ["PCVAE_REAL_DATA"], "catalogues", "gswlc_x_sga2020_820.fits")
    columns = "id=SGA_ID,ra=RA,dec=DEC,redshift=Z,log_mass=LOGMSTAR,log_mass_err=LOGMSTARERR"
    options = ("--only", "none", "--table", table, "--columns", columns)
    found, cuts = run(tmp_path / "out", *options)
    assert cuts.loc[("gswlc_x_sga2020_820", "rows as given"), "left"] == 820
    assert found["log_mass"].between(7, 12.5).all()
    assert found["log_mass_err"].gt(0).all()
    assert 800 < len(found) <= 820
