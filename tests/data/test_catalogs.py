import doctest
import hashlib
import json
import os
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

from data import catalogs
from data.published.duplicates import without_duplicates
from data.readers import units
from pcvae.errors import CatalogError, PcvaeError, SettingsError
from tests.data.services.stand_in import Answer, serving
from tests.real import needs_real_data

ARCSEC = 1 / 3600

SPIRALS = """Data for Red Spiral Sample in Masters et al. 2010 (Table A1).
Columns are (1) SDSS objid, (2/3) RA/Dec in J2000 decimal degrees, (4) redshift,

      587731186741346415    1.218164   0.351724  0.0833  -21.26 0.01  0.695 0.020  0.040  0.144  0.42
      588015509270364319  180.000000   0.042422  0.0735  -21.75 0.01  0.701 0.021  0.036  0.143  0.46
"""  # noqa: E501
PEAS = """# DR7OBJID,RA,DEC,REDSHIFT,OIII_EW,L_FUV,L_FUV_ERR,SFR,SFR_ERR,METALLICITY,M_STELLAR
587725073921409255 ,  146.242618 ,   -0.762639 ,  0.3002 ,   312.8 , 1.0, 0.2, 10.0 , 2.302585 , 8.7, 9.76
588848899919446344 ,  195.546460 ,   -0.087897 ,  0.2255 ,   834.4 , 0.2, 0.2, -99 , 0.22 , 8.7 ,    9.07
"""  # noqa: E501


def gama():
    """Five rows: good, poor redshift, not of the main survey, too far, quenched."""
    return pd.DataFrame(
        {
            "uberID": [101, 102, 103, 104, 105],
            "RAcen": [150.0, 151.0, 152.0, 153.0, 180.0],
            "Deccen": [1.0, 1.0, 1.0, 1.0, 0.042422 + 0.5 * ARCSEC],
            "Z": [0.2, 0.2, 0.2, 1.2, 0.0735],
            "NQ": [4, 2, 3, 4, 3],
            "SC": [7, 7, 3, 8, 8],
            "StellarMass_16": [0.5e10] * 5,
            "StellarMass_50": [1e10] * 5,
            "StellarMass_84": [2e10] * 5,
            "SFR_16": [0.5, 0.5, 0.5, 0.5, 1e-42],
            "SFR_50": [1.0, 1.0, 1.0, 1.0, 1e-40],
            "SFR_84": [2.0, 2.0, 2.0, 2.0, 1e-12],
        }
    )


def zou():
    """Five rows: spectroscopic, photometric, star, few bands, without a mass."""
    return pd.DataFrame(
        {
            "Tractor_ID": [1, 2, 3, 4, 5],
            "RA": [9.0, 9.1, 9.2, 9.3, 9.4],
            "DEC": [-44.0] * 5,
            "redshift": [0.5, 0.6, 0.5, 0.5, 0.5],
            "flag_star": [0, 0, 1, 0, 0],
            "ngoodband": [5, 9, 9, 4, 9],
            "Mstar_gal": [1e9, 1e9, 1e9, 1e9, -1.0],
            "Mstar_gal_err": [1e9 * np.log(10) * 0.1] * 5,
            "SFR_gal": [10.0, 1.0, 1.0, 1.0, 1.0],
            "SFR_gal_err": [2.302585] * 5,
            "zphot_lowlim": [-1.0, 0.5, 0.4, 0.4, 0.4],
            "zphot_upplim": [-1.0, 0.7, 0.6, 0.6, 0.6],
        }
    )


def as_bytes(table):
    file = BytesIO()
    Table.from_pandas(table).write(file, format="fits")
    return file.getvalue()


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


def run(out, *options):
    catalogs.main([str(one) for one in (out, *options)])
    table = pd.read_parquet(out / "catalog.parquet").set_index("id")
    return table, pd.read_csv(out / "cuts.csv").set_index(["catalog", "cut"])


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
    assert spiral["log_mass"] == pytest.approx(10)
    assert spiral["log_mass_err"] == pytest.approx(np.log10(2))


def test_gama_is_converted_from_percentiles(folder, tmp_path):
    table, _ = run(tmp_path / "out", "--from", folder, "--only", "gama")
    good, quenched = table.loc["gama_101"], table.loc["gama_105"]
    assert good[["redshift", "log_mass", "log_sfr"]].tolist() == pytest.approx([0.2, 10, 0])
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
    assert one[["log_mass", "log_mass_err"]].tolist() == pytest.approx([9, 0.1])
    assert one[["log_sfr", "log_sfr_err"]].tolist() == pytest.approx([1, 0.1])
    assert np.isnan(one["redshift_err"])
    assert two["redshift_err"] == pytest.approx(0.1)


def test_green_peas_are_converted(folder, tmp_path):
    table, _ = run(tmp_path / "out", "--from", folder, "--only", "green_peas")
    one, two = table.to_dict("records")
    assert (one["log_mass"], one["log_sfr"], one["oiii_ew"]) == (9.76, 1, 312.8)
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
    assert table.loc["k1", "log_sfr"] == 0
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


def test_rows_without_a_place_are_no_duplicates():
    table = pd.DataFrame({"id": ["a", "b"], "ra": np.nan, "dec": np.nan})
    assert len(without_duplicates(table)) == 2
    assert len(without_duplicates(table.iloc[:1])) == 1


def record(host):
    """Zenodo's list of a record's files."""
    listed = [
        {
            "key": name,
            "links": {"self": f"http://{host}/files/{name}"},
            "checksum": f"md5:{hashlib.md5(as_bytes(zou())).hexdigest()}",
        }
        for name in ("es1.v1.fits", "cdfs.v2.fits")
    ]
    return Answer(json.dumps({"files": [*listed, {"key": "README.txt"}]}).encode())


def gama_form(asked):
    """The query form, which stops reading at a "<"."""
    if "<" in asked.form["query"] or asked.form["format"] != "csv":
        return Answer(b"<html>Error in your query</html>")
    echo = f'Your query:<br> <span class="query">{asked.form["query"]}</span>'
    link = "<a href='../tmp/GAMA_x1y2.csv'>download</a>"
    return Answer(f"<html>{echo} {link}</html>".encode())


def stand_in(asked):
    """All four services at one address."""
    answers = {
        "/dr4/query/index.php": gama_form,
        "/dr4/tmp/GAMA_x1y2.csv": lambda _: Answer(gama().to_csv(index=False).encode()),
        "/api/records/6620892": lambda asked: record(asked.headers["Host"]),
        "/files/es1.v1.fits": lambda _: Answer(as_bytes(zou())),
        "/files/cdfs.v2.fits": lambda _: Answer(as_bytes(zou())),
        "/RedSpiralsA1.txt": lambda _: Answer(SPIRALS.encode()),
        "/peas_tbl4.csv": lambda _: Answer(PEAS.encode()),
    }
    return answers.get(asked.path, lambda _: Answer(status=404))(asked)


def addresses(url):
    return [
        *("--gama-url", f"{url}/dr4", "--zou-url", url),
        *("--red-spirals-url", f"{url}/RedSpiralsA1.txt"),
        *("--green-peas-url", f"{url}/peas_tbl4.csv"),
    ]


def test_catalogues_are_fetched_and_can_be_taken_again_offline(tmp_path):
    with serving(stand_in) as service:
        fetched, _ = run(tmp_path / "out", *addresses(service.url))
        query = next(asked.form["query"] for asked in service.asked if asked.form)
    assert "ProSpectv03" in query
    assert len(fetched) == 7
    facts = json.loads((tmp_path / "out" / "sources.json").read_text())["files"]
    assert all(one["url"].startswith("http://127.0.0.1") and one["citation"] for one in facts)
    offline, _ = run(tmp_path / "offline", "--from", tmp_path / "out" / "files")
    pd.testing.assert_frame_equal(offline, fetched)


def test_an_interrupted_fetch_keeps_what_it_has(tmp_path):
    with serving(stand_in) as service:
        options = addresses(service.url)
        missing = [*options[:-1], f"{service.url}/nowhere"]
        with pytest.raises(PcvaeError, match="404"):
            run(tmp_path / "out", *missing)
        run(tmp_path / "out", *options)
    paths = [asked.path for asked in service.asked]
    assert paths.count("/RedSpiralsA1.txt") == 1


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("gama", "/dr4/tmp/GAMA_x1y2.csv"),
        ("red_spirals", "/RedSpiralsA1.txt"),
        ("green_peas", "/peas_tbl4.csv"),
    ],
)
@pytest.mark.parametrize("body", [b"<html>Please log in</html>", b"", b"\x80\x81"])
def test_a_page_instead_of_a_table_is_not_kept(tmp_path, name, path, body):
    pages = [Answer(body)]

    def answer(asked):
        return pages.pop() if pages and asked.path == path else stand_in(asked)

    with serving(answer) as service:
        options = ("--only", name, *addresses(service.url))
        with pytest.raises(CatalogError, match=rf"What {service.url}{path} gave is not kept"):
            run(tmp_path / "out", *options)
        table, _ = run(tmp_path / "out", *options)
    assert len(table) > 0


def test_another_mirror_is_asked_and_named_instead_of_what_the_first_gave(tmp_path):
    with serving(stand_in) as first, serving(stand_in) as second:
        stopped = [*addresses(first.url)[:-1], f"{first.url}/nowhere"]
        with pytest.raises(PcvaeError, match="404"):
            run(tmp_path / "out", *stopped)
        run(tmp_path / "out", *addresses(second.url))
        assert "/RedSpiralsA1.txt" in {asked.path for asked in second.asked}
    facts = json.loads((tmp_path / "out" / "sources.json").read_text())["files"]
    assert all(one["url"].startswith(second.url) for one in facts)
    assert not [path for path in (tmp_path / "out" / "files").iterdir() if path.suffix == ".from"]


def test_a_replacement_that_was_stopped_goes_on_too(tmp_path):
    with serving(stand_in) as service:
        options = (*addresses(service.url), "--overwrite")
        run(tmp_path / "out", *options)
        service.asked.clear()
        with pytest.raises(PcvaeError, match="404"):
            run(tmp_path / "out", *options, "--green-peas-url", f"{service.url}/nowhere")
        run(tmp_path / "out", *options)
    assert [asked.path for asked in service.asked].count("/RedSpiralsA1.txt") == 1


def test_a_query_is_not_posted_again_for_a_table_that_is_there(tmp_path):
    with serving(stand_in) as service:
        options = addresses(service.url)
        with pytest.raises(PcvaeError, match="404"):
            run(tmp_path / "out", *options, "--zou-url", f"{service.url}/nowhere")
        run(tmp_path / "out", *options)
    assert sum(bool(asked.form) for asked in service.asked) == 1
    facts = json.loads((tmp_path / "out" / "sources.json").read_text())["files"]
    assert facts[2]["url"] == f"{service.url}/dr4/tmp/GAMA_x1y2.csv"


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/dr4/query/index.php", b"<html>Unknown table</html>", "found: Unknown table"),
        (
            "/dr4/query/index.php",
            b'<span class="query">SELECT</span> <a href="../tmp/GAMA_a.csv">',
            "understood another query",
        ),
        ("/api/records/6620892", b'{"files": []}', "expected FITS tables"),
        ("/files/es1.v1.fits", b"other", "came with md5"),
    ],
)
def test_an_answer_without_a_catalogue_is_said_in_a_sentence(tmp_path, path, body, message):
    def answer(asked):
        return Answer(body) if asked.path == path else stand_in(asked)

    with serving(answer) as service, pytest.raises(PcvaeError, match=message):
        run(tmp_path / "out", *addresses(service.url))


def test_the_virtual_observatory_can_be_asked(tmp_path):
    found = Table({"id": ["a", "b"], "ra": [10.0, 20.0], "dec": [1.0, 2.0], "z": [0.3, 0.4]})
    file = BytesIO()
    found.write(file, format="votable")

    def answer(asked):
        if asked.path != "/tap/sync":
            return Answer(status=404)
        return Answer(file.getvalue(), headers={"Content-Type": "application/x-votable+xml"})

    with serving(answer) as service:
        query = ("--tap", f"{service.url}/tap", "--adql", "SELECT * FROM peas")
        options = (*query, "--columns", "redshift=z", "--population", "green_pea")
        table, _ = run(tmp_path / "out", "--only", "none", *options)
        asked = next(one for one in service.asked if one.path == "/tap/sync")
        assert (asked.form or asked.query)["QUERY"] == "SELECT * FROM peas"
        with pytest.raises(PcvaeError, match="does not answer"):
            run(tmp_path / "no", "--only", "none", "--tap", service.url, "--adql", "SELECT 1")
    assert table["redshift"].tolist() == [0.3, 0.4]
    assert table["population"].eq("green_pea").all()


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
