"""Survey images around the picked galaxy: what is fetched, what is marked, and what comes back."""

import hashlib
import io
import tarfile

import numpy as np
import pytest
from tornado.testing import AsyncHTTPTestCase
from tornado.web import Application

from dashboard.sky import aladin_files, survey_images
from dashboard.sky.aladin_files import SCRIPT, AladinError, AladinFile, aladin_file, fetch_script
from dashboard.sky.survey_images import marks_in
from tests.data.services.stand_in import Answer, serving

ALL_SKY = (0.0, 0.0, 180.0)


@pytest.fixture
def images(many, tmp_path, monkeypatch):
    """The images of a session, opened, with a script on disk."""
    (tmp_path / "aladin.js").write_text("export default {}")
    monkeypatch.setenv(SCRIPT, str(tmp_path / "aladin.js"))
    found = many.tabs["sky"].images
    found.turn()
    return found


def archive(text):
    """An npm package with this script."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as made:
        entry = tarfile.TarInfo(aladin_files.MEMBER)
        entry.size = len(text)
        made.addfile(entry, io.BytesIO(text))
    return file.getvalue()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A stand-in of the registry; yields what it answers with, and the script expected."""
    monkeypatch.delenv(SCRIPT, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    right = b"export default 'Aladin'"
    monkeypatch.setattr(aladin_files, "SHA512", hashlib.sha512(right).hexdigest())
    answer = {"content": archive(right)}
    with serving(lambda _: Answer(answer["content"])) as service:
        monkeypatch.setattr(aladin_files, "ADDRESS", f"{service.url}/aladin-lite.tgz")
        yield answer, right, service


def test_the_script_is_fetched_once_checked_and_kept(package):
    _, right, service = package
    path = fetch_script()
    assert path.read_bytes() == right
    assert fetch_script() == path == aladin_file("/aladin/aladin.js")
    assert len(service.asked) == 1
    path.write_bytes(b"changed")
    assert fetch_script().read_bytes() == right


@pytest.mark.parametrize("content", [archive(b"another"), b"no archive"])
def test_another_script_is_refused_and_not_kept(package, content, tmp_path):
    package[0]["content"] = content
    with pytest.raises(AladinError, match=r"expected Aladin Lite .* found something else"):
        fetch_script()
    assert not list(tmp_path.rglob("*.js*"))


def test_where_it_cannot_be_kept_that_is_said(package, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(AladinError, match=r"cannot be kept in .*: Not a directory\. Give another"):
        fetch_script()


def test_without_a_network_the_page_says_so_and_keeps_the_map(many, monkeypatch, tmp_path):
    monkeypatch.setenv(SCRIPT, str(tmp_path / "none.js"))
    images = many.tabs["sky"].images
    images.turn()
    assert "expected the script of Aladin Lite at" in images.words.object
    assert not images.opened
    monkeypatch.delenv(SCRIPT)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(aladin_files, "ADDRESS", "http://127.0.0.1:9/aladin.tgz")
    monkeypatch.setattr(
        aladin_files, "PATIENCE", aladin_files.PATIENCE.__class__(tries=1, connect=1.0)
    )
    images.turn()
    assert "Aladin Lite cannot be fetched: " in images.words.object
    assert not images.frame.visible


class Served(AsyncHTTPTestCase):
    def get_app(self):
        folder = aladin_file("/aladin/aladin_frame.js").parent
        return Application([("/aladin/(.*)", AladinFile, {"path": str(folder)})])

    def runTest(self):  # noqa: N802 - unittest's name
        pass


def test_the_frame_may_ask_for_images_of_one_place_only():
    case = Served()
    case.setUp()
    answer = case.fetch("/aladin/aladin_frame.html")
    case.tearDown()
    assert b"aladin_frame.js" in answer.body
    policy = dict(
        part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; ")
    )
    assert policy["default-src"] == "'none'"
    assert "//" not in policy["script-src"]
    hosts = [source for source in policy["connect-src"].split() if "//" in source]
    assert hosts
    assert all(host.endswith(".unistra.fr") for host in hosts)


def test_it_goes_to_the_picked_galaxy_and_marks_those_in_view(many, images):
    galaxies = many.datastore.store.galaxies
    many.state.row = 9
    assert images.opened
    assert images.frame.visible
    assert images.frame.target == [galaxies["ra"][9], galaxies["dec"][9]]
    assert images.frame.picked == [[9, *images.frame.target]]
    images.frame._handle_msg({"view": [*images.frame.target, 20.0]})
    near = many.datastore.sky().within(*images.frame.target, 20.0)
    assert 1 < len(near) < 120
    assert [mark[0] for mark in images.frame.others] == list(near)
    many.state.selection.selected = np.arange(120) == 9
    assert [mark[0] for mark in images.frame.focus] == [9]
    assert len(images.frame.others) == len(near) - 1


def test_a_tap_picks_and_a_box_selects(many, images):
    images.frame._handle_msg({"picked": 31})
    assert many.state.row == 31
    images.frame._handle_msg({"selected": [4, 8, -1, "x", 10**9]})
    assert list(np.flatnonzero(many.state.selection.selected)) == [4, 8]
    many.state.selection.mode = "add"
    images.frame._handle_msg({"selected": [5]})
    assert list(np.flatnonzero(many.state.selection.selected)) == [4, 5, 8]
    for senseless in ({"picked": 10**9}, {"picked": "3"}, {"selected": 3}, {"view": [1, None]}):
        images.frame._handle_msg(senseless)
    assert many.state.row == 31


def test_where_the_images_cannot_be_had_the_map_is_shown_and_says_why(many, images):
    images.frame._handle_msg({"failed": "images"})
    assert "No connection with alasky.cds.unistra.fr" in images.words.object
    assert (images.opened, images.frame.address) == (False, "")
    assert not images.frame.visible
    images.turn()
    assert (images.opened, images.words.visible) == (True, False)


def test_of_too_many_those_in_focus_are_marked_first(many, monkeypatch):
    monkeypatch.setattr(survey_images, "MAX_MARKS", 30)
    focus = np.arange(120) % 6 == 0
    marks = marks_in(many.datastore, focus, ALL_SKY)
    assert [mark[0] for mark in marks.focus] == list(range(0, 120, 6))
    assert (len(marks.others), marks.total) == (10, 120)
    assert not {int(mark[0]) for mark in marks.others} & set(np.flatnonzero(focus))
    monkeypatch.setattr(survey_images, "MAX_MARKS", 12)
    marks = marks_in(many.datastore, focus, ALL_SKY)
    assert (len(marks.focus), len(marks.others)) == (12, 0)
