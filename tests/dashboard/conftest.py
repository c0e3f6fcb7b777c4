"""Sessions of the example stores."""

import numpy as np
import pytest
from bokeh.io.state import curstate
from holoviews.plotting.bokeh.callbacks import Callback
from panel.io.state import _state

from data.readers import limited_process
from tests.dashboard.explorers import begin, change


@pytest.fixture(autouse=True)
def decoded_here(monkeypatch):
    """Uploads are decoded in this process, which is sooner; the tests of the limits do not."""
    monkeypatch.setattr(limited_process, "decode", limited_process.decode_here)


@pytest.fixture(autouse=True)
def sessions_forgotten():
    """Forget what keeps each session of a process in which no visitor goes."""
    before = set(Callback._callbacks)
    yield
    for plot in Callback._callbacks.keys() - before:
        del Callback._callbacks[plot]
    _state._browser = None
    curstate().reset()


@pytest.fixture
def many(examples):
    """A session of the store of 120 galaxies, with an empty journal."""
    path = examples["many"].with_name("many.journal.sqlite")
    path.unlink(missing_ok=True)
    return begin(examples["many"])


@pytest.fixture
def photometric(examples, tmp_path):
    """A session of those galaxies with fluxes, sizes and shapes in their catalogue."""
    rng = np.random.default_rng(5)
    fluxes = {f"flux_{band}": rng.lognormal(3, 1, 120) for band in "grz"}
    shapes = {"r50": rng.lognormal(1, 0.3, 120), "axis_ratio": rng.uniform(0.2, 1, 120)}
    return begin(change(examples["many"], tmp_path / "photometric", **fluxes, **shapes))
