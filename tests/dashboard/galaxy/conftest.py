"""A session, and the pixels of its galaxies."""

import pytest

from pcvae.cutouts import read_sample
from tests.dashboard.explorers import begin


@pytest.fixture
def session(store):
    """A session of the store of 120 galaxies, whose sample lies beside it."""
    return begin(store)


@pytest.fixture
def flux(store):
    """The pixels of the store's galaxies, (120, 3, 32, 32)."""
    return read_sample(store.with_name("sample")).pixels(slice(None))
