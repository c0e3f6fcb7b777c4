"""Look-alikes of a population, a label or the selection, in the metric that is asked for."""

import holoviews as hv
import numpy as np
import pandas as pd
import pytest

from dashboard.app import Explorer
from dashboard.backend.datastore import DataStore
from dashboard.gallery.lookalikes import expected_purity
from dashboard.gallery.seed_picker import LABEL, SELECTION, seed_choices, seeds_of
from dashboard.labelling.labels import toggle
from dashboard.state import Metric
from pcvae.journal import Journal
from pcvae.lookalikes import recalled_seeds, seed_density, shared_neighbours
from pcvae.neighbours import Neighbours
from pcvae.store import read_store


@pytest.fixture
def session(store, tmp_path):
    explorer = Explorer(DataStore(read_store(store), Journal(tmp_path / "journal.sqlite")))
    explorer.start()
    return explorer


def listed(session, tab):
    session.state.tab = tab
    return [item["row"] for item in session.tabs[tab].strip.items]


def test_the_metric_and_the_number_of_neighbours_are_the_persons(session):
    session.state.param.update(row=7, k=5, whiten=False, oriented=True)
    values = session.datastore.store.values(session.state.model)
    rows, _ = Neighbours(values, whiten=False).query(7, 5)
    assert listed(session, "neighbours") == list(rows)
    assert "5 nearest" in session.tabs["neighbours"].note.object
    assert "raw units, with the orientation" in session.tabs["neighbours"].note.object


def test_each_metric_has_an_index_of_its_own(session):
    found = {
        metric: session.datastore.neighbours.nearest("physics", 7, 20, metric)["row"].tolist()
        for metric in (Metric(), Metric(whiten=False), Metric(oriented=True))
    }
    assert len({tuple(rows) for rows in found.values()}) == 3


def test_lookalikes_of_the_selection_are_near_several_of_it_and_none_of_it(session):
    mask = np.zeros(len(session.datastore), bool)
    mask[10:30] = True
    session.state.selection.selected = mask
    session.state.param.update(seeds=SELECTION, lookalikes_by="shared")
    rows = listed(session, "lookalikes")
    index = session.datastore.neighbours.index(session.state.model).result()
    expected = shared_neighbours(index, mask, ~mask, session.state.k)
    assert rows == expected["row"].tolist()[: len(rows)]
    assert rows
    assert not mask[rows].any()


def test_lookalikes_of_a_label_follow_the_journal(session):
    toggle(session.datastore, session.state, 4)
    assert LABEL + "candidate" in seed_choices(session.datastore).values()
    session.state.seeds = LABEL + "candidate"
    assert list(seeds_of(session.datastore, session.state).rows) == [4]
    session.state.lookalikes_by = "shared"
    near = session.datastore.neighbours.nearest(session.state.model, 4)["row"].tolist()
    assert sorted(listed(session, "lookalikes")) == sorted(near)
    toggle(session.datastore, session.state, 4)
    assert session.state.seeds == SELECTION
    assert listed(session, "lookalikes") == []


def test_without_a_selection_it_says_how_to_make_one(session):
    session.state.seeds = SELECTION
    assert listed(session, "lookalikes") == []
    assert "lasso" in session.tabs["lookalikes"].strip.empty


hv.extension("bokeh")


def test_lookalikes_are_ordinary_and_ranked_by_how_many_seeds_are_near(many):
    many.state.param.update(tab="lookalikes", seeds="green_pea", lookalikes_by="shared")
    items = many.tabs["lookalikes"].strip.items
    assert items
    assert not {many.datastore.populations.names[item["row"]] for item in items} & {"green_pea"}
    counts = [int(item["caption"].split()[1]) for item in items]
    assert counts == sorted(counts, reverse=True)


def test_lookalikes_are_where_the_seeds_are_densest_or_shared(many):
    many.state.param.update(tab="lookalikes", seeds="green_pea")
    strip, index = many.tabs["lookalikes"], many.datastore.neighbours.index("physics").result()
    peas = many.datastore.populations.members("green_pea")
    ranked = seed_density(index, peas, many.datastore.populations.normal)
    shown = [item["row"] for item in strip.strip.items]
    assert shown == ranked["row"].tolist()[: len(shown)]
    assert len(shown) == 60
    assert strip.strip.items[0]["caption"] == f"density {ranked['density'][0]:.2g}"
    assert f"where the {len(peas)} seeds are densest" in strip.note.object
    recall = recalled_seeds(index, peas, many.datastore.populations.normal, ranked)[59]
    share = many.datastore.populations.normal.sum() * 0.001 * recall / 60
    assert f"{share:.0%} of these expected true at 1 in 1,000 (" in strip.note.object


def test_the_purity_of_a_list_is_at_most_one_and_unknown_of_few_seeds():
    shown = pd.DataFrame({"recall": [0.4, 0.8]})
    words = expected_purity(shown, 10, np.ones(1000, bool))
    assert words == "40% of these expected true at 1 in 1,000 (25% to 47%); "
    assert expected_purity(shown, 10, np.ones(10**6, bool)).startswith("100% of these")
    assert expected_purity(shown, 4, np.ones(1000, bool)) == ""
    assert expected_purity(shown.assign(recall=np.nan), 10, np.ones(1000, bool)) == ""
