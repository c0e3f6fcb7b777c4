"""The index of neighbours that all sessions share."""

from dashboard.backend.datastore import DataStore
from pcvae.neighbours import Neighbours
from pcvae.store import read_store


def test_neighbours_that_several_views_ask_for_are_found_once(store, monkeypatch):
    asked, query = [], Neighbours.query
    monkeypatch.setattr(
        Neighbours, "query", lambda self, row, k, **more: asked.append(row) or query(self, row, k)
    )
    index = DataStore(read_store(store), None).neighbours
    index.index("physics").result()
    asked.clear()
    first = index.nearest("physics", 3, 5)
    first.loc[:, "row"] = -1  # what one view does to its table is not seen by another
    again = index.nearest("physics", 3, 5)
    assert asked == [3]
    assert (again["row"] >= 0).all()
    index.nearest("physics", 3, 6)
    assert asked == [3, 3]
