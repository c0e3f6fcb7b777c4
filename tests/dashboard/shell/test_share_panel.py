"""Share a view by its address or by a name in the journal."""

from urllib.parse import parse_qs

import numpy as np
import pytest

from dashboard.selection.masks import mask_of, select
from dashboard.shell.share_panel import unsaid_words
from dashboard.shell.url_sync import shared_address, unsaid
from pcvae.errors import JournalError


def test_a_team_saves_opens_and_removes_views_by_name(many):
    share, sheet, state = many.share, many.share.sheet, many.state
    share.open()
    assert (sheet.kept, sheet.views) == (True, [])
    state.param.update(tab="sky", dark=False, lesson=2, row=4)
    sheet._handle_msg({"save": " my  peas "})
    (view,) = sheet.views
    assert (view["name"], sheet.said, sheet.failed) == ("my peas", "Saved: my peas", False)
    assert view["by"].startswith(many.datastore.journal.user)
    assert view["by"].endswith("UTC")
    query = parse_qs(view["address"].removeprefix("?"))
    assert query["tab"] == ["sky"]
    assert query["galaxy"] == [str(many.datastore.ids[4])]
    assert not {"theme", "lesson"} & set(query)

    many.datastore.journal.views.save("theirs", "?tab=queue", user="ben")
    share.open()
    share.open()
    assert [one["name"] for one in sheet.views] == ["theirs", "my peas"]
    sheet._handle_msg({"save": "theirs"})
    assert sheet.failed
    assert "ben has saved" in sheet.said
    sheet._handle_msg({"remove": "my peas"})
    assert [one["name"] for one in sheet.views] == ["theirs"]
    assert (sheet.said, sheet.failed) == ("Removed: my peas", False)
    sheet._handle_msg({"remove": "my peas"})
    assert "somebody may have removed it" in sheet.said


def test_what_the_address_cannot_hold_is_said(many):
    state, sheet = many.state, many.share.sheet
    many.share.open()
    assert sheet.missing == unsaid_words([])
    select(state, mask_of([1, 2], 120), how="replace")
    assert "several steps" in sheet.missing
    assert "exported" in sheet.missing
    many.search_box.ask("redshift > -9")
    assert not many.share.panel.visible, "what the search says has its place"
    many.share.open()
    assert "query=redshift" in sheet.address
    assert sheet.address == shared_address(many.datastore, state)
    assert sheet.missing == unsaid_words([])
    state.tab = "queue"
    assert "tab=queue" in sheet.address
    state.decoding.latents, state.band = np.zeros(2), "g"
    assert len(unsaid(many.datastore, state)) == 2


def test_a_journal_that_cannot_be_read_is_named(many, monkeypatch):
    def fail():
        msg = "the disk is gone"
        raise JournalError(msg)

    monkeypatch.setattr(many.datastore.journal_jobs, "opened", fail)
    many.share.open()
    assert many.share.sheet.failed
    assert "the disk is gone" in many.share.sheet.said


@pytest.mark.parametrize(("count", "words"), [(2, "a or b"), (3, "a, b or c")])
def test_several_things_are_one_sentence(count, words):
    assert f"cannot hold {words}." in unsaid_words(list("abc")[:count])
