"""Tables go to other programs by a real SAMP hub, and rows, places and tables come back."""

import threading
from urllib.parse import unquote, urlparse

import numpy as np
import pytest
from astropy.io.votable import parse_single_table
from astropy.table import Table
from pyvo import samp

from dashboard.components.file_input import UploadError
from dashboard.components.notices import report
from dashboard.export.samp import NO_HUB
from dashboard.export.samp_hub import SENT, fetch_table
from dashboard.export.samp_page import PageHub
from dashboard.shell.health import SAMP_HUB, security_headers

WAIT = 10  # seconds for what takes a few milliseconds


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home of its own, so that nobody's hub is disturbed."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder))
        patch.setenv("TMPDIR", str(folder))
        patch.setattr("tempfile.tempdir", str(folder))
        patch.delenv("SAMP_HUB", raising=False)
        patch.setattr(samp.conf, "use_internet", False)
        yield folder


@pytest.fixture(scope="module")
def hub(home):
    server = samp.SAMPHubServer(addr="127.0.0.1", web_profile=False, label="of a test")
    server.start()
    yield server
    server.stop()


class Program:
    """Another program at the hub: it takes tables, or refuses them."""

    def __init__(self, name):
        self.client = samp.SAMPIntegratedClient(name=name, addr="127.0.0.1")
        self.client.connect()
        self.taken, self.error = [], ""
        self.client.bind_receive_call(SENT, self._take)

    def _take(self, _key, sender, message, _mtype, params, _extra):
        self.sender = sender
        self.taken.append(params)
        reply = {"samp.status": "samp.ok", "samp.result": {}}
        if self.error:
            reply |= {"samp.status": "samp.error", "samp.error": {"samp.errortxt": self.error}}
        self.client.reply(message, reply)


@pytest.fixture(scope="module")
def topcat(hub):
    program = Program("TOPCAT")
    yield program
    program.client.disconnect()


@pytest.fixture
def session(many):
    """A session that leaves the hub in the end."""
    yield many
    many.export_panel.samp.hub.close()


def give(session, what="list"):
    """Send a table by the panel; returns the words that it ends with."""
    panel = session.export_panel
    panel.what.options, panel.what.value = {what: what}, what
    panel.send()
    return panel.words.object


def until(condition):
    """Wait until something is so."""
    ticking = threading.Event()
    for _ in range(WAIT * 100):
        if condition():
            return True
        ticking.wait(0.01)
    return False


def test_a_list_reaches_the_program_and_its_highlighted_row_is_picked(session, topcat):
    session.state.param.update(tab="neighbours", row=7)
    rows = session.state.selection.listed.rows
    assert "Sent to TOPCAT" in give(session)
    params = topcat.taken[-1]
    table = parse_single_table(unquote(urlparse(params["url"]).path)).to_table()
    assert list(table["id"]) == list(session.datastore.ids[rows])
    assert list(table["rank"]) == list(range(1, len(rows) + 1))
    told = {"table-id": params["table-id"], "url": params["url"]}
    call = topcat.client.ecall_and_wait
    call(topcat.sender, "table.highlight.row", "10", row="3", **told)
    assert session.state.row == rows[3]
    topcat.client.enotify(topcat.sender, "table.highlight.row", row="1", **told)
    assert until(lambda: session.state.row == rows[1])
    call(topcat.sender, "table.select.rowList", "10", **told, **{"row-list": ["0", "4"]})
    assert set(np.flatnonzero(session.state.selection.selected)) == {rows[0], rows[4]}


def test_a_place_that_a_program_points_at_picks_the_galaxy_there(session, topcat):
    give(session, "labels")
    galaxy = session.datastore.store.galaxies.iloc[40]
    point = {"ra": f"{galaxy.ra:.6f}", "dec": f"{galaxy.dec + 8 / 3600:.6f}"}
    call = topcat.client.ecall_and_wait
    call(topcat.sender, "coord.pointAt.sky", "10", **point)
    assert session.state.row == 40
    call(topcat.sender, "coord.pointAt.sky", "10", ra="10", dec="-89")
    assert session.state.row == 40
    assert "No galaxy of this store lies within 30" in session.card.trouble.object


def test_a_table_of_a_program_is_a_target_list(session, topcat, tmp_path):
    give(session, "labels")
    galaxies = session.datastore.store.galaxies.iloc[[12, 30]]
    path = tmp_path / "mine.vot"
    Table.from_pandas(galaxies[["ra", "dec"]]).write(path, format="votable")
    call = topcat.client.ecall_and_wait
    answer = call(topcat.sender, SENT, "10", url=path.as_uri(), name="my targets")
    assert answer["samp.status"] == "samp.ok"
    assert session.state.tab == "targets"
    assert "2 of 2" in session.tabs["targets"].words.object
    answer = call(topcat.sender, SENT, "10", url="file:///none.vot")
    assert "cannot be fetched" in answer["samp.error"]["samp.errortxt"]


def test_a_program_may_refuse_and_learns_no_secrets(session, topcat):
    topcat.error = "no memory"
    assert "TOPCAT did not take it: no memory." in give(session, "labels")
    topcat.error = ""
    found = topcat.client.get_subscriptions(topcat.sender)
    assert set(found) >= {SENT, "table.highlight.row"}
    assert "client.env.get" not in found


def test_a_second_click_while_a_table_is_sent_sends_no_other(session, topcat):
    samp = session.export_panel.samp
    samp.waiting = True
    give(session, "labels")
    assert not samp._rows
    samp.waiting = False
    give(session, "labels")
    assert len(samp._rows) == 1


def test_without_a_hub_the_page_says_what_to_start(session, home, monkeypatch):
    monkeypatch.setenv("HOME", str(home / "elsewhere"))
    assert NO_HUB in give(session, "labels")
    assert not session.export_panel.samp.waiting


SENSELESS = [
    ("table.highlight.row", {"row": "12"}),
    ("table.highlight.row", {"row": "-1"}),
    ("table.highlight.row", {"row": "1.5"}),
    ("table.highlight.row", {}),
    ("table.select.rowList", {"row-list": ["0", "x"]}),
    ("coord.pointAt.sky", {"ra": "nan", "dec": "0"}),
    ("coord.pointAt.sky", {"ra": "10"}),
]


def test_a_message_that_makes_no_sense_is_said_and_changes_nothing(many):
    exporter, row = many.export_panel.samp, many.state.row
    exporter._rows["known"] = np.arange(12)
    for mtype, values in SENSELESS:
        report(many.state, "samp")
        exporter.receive(mtype, {"table-id": "known", **values})
        assert "A SAMP message was not understood: expected" in many.card.trouble.object
    assert many.state.row == row
    assert many.state.selection.selected is None


def test_rows_of_other_tables_and_galaxies_of_other_stores_are_left_alone(many):
    exporter, row = many.export_panel.samp, many.state.row
    exporter.receive("table.highlight.row", {"table-id": "another", "row": "1"})
    assert not many.card.trouble.object
    exporter._rows["known"] = np.array([-1, 5])
    exporter.receive("table.highlight.row", {"table-id": "known", "row": "0"})
    assert "not in this store" in many.card.trouble.object
    assert many.state.row == row
    exporter.receive("table.highlight.row", {"table-id": "known", "row": "1"})
    assert (many.state.row, many.card.trouble.object) == (5, "")


def test_what_the_browser_tells_becomes_words(many):
    panel, page = many.export_panel, many.export_panel.samp.page
    panel.samp._tell = panel._say
    page._handle_msg({"answers": [["TOPCAT", ""], ["DS9", "no columns"]]})
    assert "Sent to TOPCAT; " in panel.words.object
    assert "DS9 did not take it: no columns." in panel.words.object
    page._handle_msg({"answers": []})
    assert "takes tables" in panel.words.object
    page._handle_msg({"failure": ""})
    assert NO_HUB in panel.words.object
    page._handle_msg({"failure": "not authorised"})
    assert "refused: not authorised" in panel.words.object
    page._handle_msg({"answers": "?", "mtype": 3})


def test_a_table_that_is_too_large_is_not_sent(many, monkeypatch):
    monkeypatch.setattr("dashboard.export.samp.MAX_TABLE", 100)
    assert "That did not work: expected a table of at most 0 MB" in give(many, "labels")


def test_only_tables_at_addresses_are_fetched(tmp_path, monkeypatch):
    with pytest.raises(UploadError, match="expected an address of a table"):
        fetch_table("ftp://host/table.vot")
    monkeypatch.setattr("dashboard.export.samp_hub.MAX_BYTES", 3)
    (tmp_path / "t.vot").write_text("<VOTABLE/>")
    with pytest.raises(UploadError, match="expected at most"):
        fetch_table((tmp_path / "t.vot").as_uri())


def test_pages_may_connect_with_the_hub_of_their_visitor_and_nothing_else_outside():
    policy = security_headers()["Content-Security-Policy"]
    connect = next(part for part in policy.split("; ") if part.startswith("connect-src"))
    assert [source for source in connect.split() if "//" in source] == [SAMP_HUB]
    assert f"const HUB = '{SAMP_HUB}'" in PageHub._esm
