"""What version 0.1.0 wrote as of commit 0cc1137 is read as it was meant then.

``earlier_version/`` was made by that version: a run, a store of eight galaxies encoded by it,
which does not keep its weights a second time, and its journal.
"""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from panel.io.location import Location

from dashboard.app import Explorer, open_datastore
from dashboard.shell.url_sync import UrlSync
from pcvae.checkpoint import read_run
from pcvae.encode import Codec
from pcvae.journal import Journal
from pcvae.store import read_store

MADE = Path(__file__).parent / "earlier_version"
ADDRESS = (
    "?model=physics&x=log_mass&y=log_sfr&colour=population&tab=candidates&seeds=green_pea"
    "&page=explore&shown=held_out&by=catalogue&galaxy=g0003&zoom=9,-2,11,2&theme=light"
    "&split=1&model2=physics&x2=redshift&y2=free_0&zoom2=0,-3,1,3"
)


@pytest.fixture
def folder(tmp_path):
    """The store with its weights and, beside it, its journal."""
    store = shutil.copytree(MADE / "store", tmp_path / "store")
    shutil.copy(MADE / "store.journal.sqlite", tmp_path)
    shutil.copytree(MADE / "run", store / "models" / "physics", dirs_exist_ok=True)
    return store


def test_a_run_is_read(folder):
    run = read_run(folder / "models" / "physics")
    assert run.info.recipe == "default"
    assert run.info.space.names == ["e_cos", "e_sin", "redshift", "log_mass", "log_sfr", "free_0"]


def test_a_store_is_read_and_its_latents_are_what_its_model_says(folder):
    store = read_store(folder)
    assert list(store.galaxies["population"].value_counts().sort_index()) == [4, 2, 2]
    assert store.info.rare == ("red_spiral", "green_pea")
    values, codec = store.values("physics"), Codec.read(store.model_folder("physics"))
    assert values.shape == (8, 6)
    assert np.isfinite(codec.decode(values)).all()


def test_labels_and_what_was_undone_are_read_from_a_journal(folder):
    journal = Journal(folder.parent / "store.journal.sqlite", user="ben")
    labels = {name: (event.label, event.user) for name, event in journal.labels().items()}
    assert labels == {"g0002": ("candidate", "ana"), "g0003": ("merger", "ana")}
    assert len(journal.events()) == 4
    journal.tag("g0004", "lens")
    journal.tag("g0002", "merger", score="4")
    labels = {name: (event.label, event.score) for name, event in journal.labels().items()}
    assert labels == {"g0003": ("merger", ""), "g0004": ("lens", ""), "g0002": ("merger", "4")}
    assert set(journal.labels()) == {"g0002", "g0003", "g0004"}
    assert journal.views.all() == []
    journal.views.save("peas", "?seeds=green_pea")
    assert [(view.name, view.user) for view in journal.views.all()] == [("peas", "ben")]
    journal.close()


def test_a_journal_that_scores_were_added_to_is_written_as_before(folder):
    """An earlier version, which does not know scores, names the columns that it writes."""
    path = folder.parent / "store.journal.sqlite"
    Journal(path).close()
    columns = "galaxy, label, note, user, time"
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(
            f"INSERT INTO pcvae_events ({columns}) VALUES ('g0004', 'lens', '', 'ana', 'now')"
        )
    journal = Journal(path)
    assert journal.labels()["g0004"].score == ""
    journal.close()


def test_an_address_shows_what_it_showed(folder):
    session = Explorer(open_datastore(folder))
    state = session.state
    UrlSync(session.datastore, state, Location(search=ADDRESS))
    assert (state.model, state.x, state.y, state.colour) == (
        "physics", "log_mass", "log_sfr", "population",
    )  # fmt: skip
    assert (state.tab, state.seeds, state.page, state.shown, state.by) == (
        "labels", "green_pea", "explore", "held_out", "catalogue",
    )  # fmt: skip
    assert session.datastore.ids[state.row] == "g0003"
    assert (state.zoom, state.dark, state.split) == ((9, -2, 11, 2), False, True)
    assert (state.second.x, state.second.y, state.second.zoom) == (
        "redshift", "free_0", (0, -3, 1, 3),
    )  # fmt: skip
    assert "merger" in {event.label for event in session.datastore.label_table.active}
