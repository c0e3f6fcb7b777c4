"""Published tables fetched over a network: resumption, mirrors, wrong pages, TAP."""

import hashlib
import json
from io import BytesIO

import pandas as pd
import pytest
from astropy.table import Table

from pcvae.errors import CatalogError, PcvaeError
from tests.data.known_tables import PEAS, SPIRALS, as_bytes, gama, run, zou
from tests.data.services.stand_in import Answer, serving


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
