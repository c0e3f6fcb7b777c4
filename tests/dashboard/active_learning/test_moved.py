"""What moved between two models: as a colour of the maps and as a ranked list."""

import numpy as np

from dashboard.active_learning.ranking import rank_column, rank_words
from dashboard.backend.neighbour_index import MOVED_AMONG
from dashboard.backend.quantities import MOVED
from dashboard.plotting.colour_by import chosen_colouring
from tests.dashboard.active_learning.queue_session import shown

KEY = MOVED + "vanilla"


def moved_of(session):
    """The share of each galaxy's near ones that differ, by sets."""
    index = session.datastore.neighbours.index
    first, second = (index(model).result() for model in ("physics", "vanilla"))
    pairs = (
        (set(first.query(row, MOVED_AMONG)[0]), set(second.query(row, MOVED_AMONG)[0]))
        for row in range(len(first))
    )
    return np.array([1 - len(one & other) / MOVED_AMONG for one, other in pairs])


def test_the_maps_are_coloured_by_it(session):
    assert KEY in session.state.param.colour.objects.values()
    assert MOVED + "physics" not in session.state.param.colour.objects.values()
    before = session.state.progress.scores_arrived
    session.state.colour = KEY
    assert session.state.progress.scores_arrived == before + 1
    shown_by = chosen_colouring(session.datastore, session.state)
    np.testing.assert_allclose(shown_by.values, moved_of(session), atol=1e-6)
    assert shown_by.title == "Share of the 20 nearest that differ from vanilla's"
    assert f"of the {MOVED_AMONG} nearest" in session.legend.pane.object
    session.state.model = "vanilla"
    assert session.state.colour != KEY


def test_the_queue_lists_what_moved_most_first(session, queue):
    state = session.state
    state.queue.param.update(rank=KEY, unlabelled=False)
    rows, expected = shown(queue), moved_of(session)
    assert expected[rows].tolist() == sorted(expected, reverse=True)[: len(rows)]
    assert queue.strip.items[0]["caption"].startswith(f"moved {expected.max():.3f}")
    assert state.selection.listed.columns["moved_from_vanilla"][0] == np.float32(expected.max())
    assert "differ from vanilla's" in rank_words(KEY)
    assert rank_column(KEY) == "moved_from_vanilla"
    state.model = "vanilla"
    assert state.queue.rank == "score"
    assert MOVED + "physics" in state.queue.param.rank.objects.values()
