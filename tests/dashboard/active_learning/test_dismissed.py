"""The queue leaves out what is like what was just dismissed, until that is taken back."""

import pytest

from dashboard.active_learning.dismissed import NEAREST
from dashboard.labelling.labels import undo
from tests.dashboard.active_learning.queue_session import label, shown
from tests.dashboard.explorers import begin


def near(session, row):
    found = session.datastore.neighbours.nearest("physics", row, NEAREST, session.state.metric)
    return set(found["row"].tolist())


@pytest.mark.parametrize(("key", "left_out"), [("0", True), ("1", True), ("2", False)])
def test_what_is_like_a_dismissed_galaxy_is_left_out_and_passed(session, queue, key, left_out):
    order = shown(queue)
    session.state.row = order[0]
    session.keys._handle_msg({"key": key})
    gone = near(session, order[0]) if left_out else set()
    assert shown(queue) == [row for row in order if row not in gone]
    assert session.state.row == next(row for row in order[1:] if row not in gone)
    count = len(gone & set(session.state.selection.listed.rows.tolist()))
    assert count == 0
    words = f"{len(gone)} like the one just dismissed are left out (the 10 nearest)"
    assert (words in queue.like_dismissed.note.object) == left_out
    assert queue.like_dismissed.row.visible == left_out


def test_they_come_back_by_a_button_or_with_the_label(session, queue):
    order = shown(queue)
    session.state.row = order[0]
    queue.score("0")
    undo(session.datastore, session.state)
    assert shown(queue) == order
    session.state.row = order[0]
    session.keys._handle_msg({"key": "a"})
    assert len(shown(queue)) < len(order)
    queue.like_dismissed.button.param.trigger("clicks")
    assert shown(queue) == order
    assert not queue.like_dismissed.row.visible
    session.state.row = order[30]
    queue.score("0")
    again = near(session, order[30]) - {order[0]}
    assert shown(queue) == [row for row in order if row not in again]


def test_what_others_or_earlier_sessions_dismissed_leaves_nothing_out(
    session, queue, folder, tmp_path
):
    order = shown(queue)
    label(begin(folder, tmp_path / "journal.sqlite", "ben"), "0", order[:1])
    session.refresh()
    assert shown(queue) == order
    label(session, "0", order[:1])
    later = begin(folder, tmp_path / "journal.sqlite")
    later.state.tab = "queue"
    assert shown(later.tabs["queue"])[:59] == order[1:]


def test_what_is_labelled_already_stays_in_place(session, queue):
    order = shown(queue)
    kept = next(row for row in order if row in near(session, order[0]))
    label(session, "merger", [kept])
    session.state.row = order[0]
    queue.score("0")
    assert kept in shown(queue)


def test_ids_are_looked_up_once_a_refresh_and_never_where_nothing_is_dismissed(
    session, queue, monkeypatch
):
    looked_up, rows_of = [], session.datastore.rows_of
    monkeypatch.setattr(
        session.datastore,
        "rows_of",
        lambda ids: looked_up.append(list(ids)) or rows_of(looked_up[-1]),
    )
    queue._refresh()
    assert not any(looked_up)
    order = shown(queue)
    session.state.row = order[0]
    queue.score("0")
    looked_up.clear()
    queue._refresh()
    assert [len(ids) for ids in looked_up] == [1]
