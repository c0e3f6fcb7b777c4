"""The dashboard in a notebook."""

import numpy as np
import pytest

from dashboard import explore
from dashboard.labelling.labels import set_label
from pcvae.errors import StoreError


def test_a_notebook_has_the_selection_and_the_labels_as_data_frames(folder):
    shown = explore(folder)
    assert shown.selection.empty
    state, datastore = shown.explorer.state, shown.explorer.datastore
    mask = np.zeros(len(datastore), bool)
    mask[[3, 5]] = True
    state.selection.selected = mask
    assert list(shown.selection["id"]) == [datastore.ids[3], datastore.ids[5]]
    assert f"{state.model}_redshift" in shown.selection
    before = len(shown.labels)
    set_label(datastore, state, "merger", 3)
    assert len(shown.labels) == before + 1
    assert shown.labels["label"].iloc[-1] == "merger"


def test_a_notebook_shows_maps_card_and_tabs(folder):
    shown = explore(folder)
    model = shown.__panel__().get_root()
    kinds = {type(part).__name__ for part in model.references()}
    assert "Figure" in kinds or "figure" in kinds
    assert shown.explorer.state.progress.loaded


def test_a_store_that_is_not_there_is_said_in_words(tmp_path):
    with pytest.raises(StoreError, match="nowhere"):
        explore(tmp_path / "nowhere")
