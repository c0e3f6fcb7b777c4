"""Sessions of the example stores."""

import pytest

from data.readers import limited_process
from tests.dashboard.explorers import begin


@pytest.fixture(autouse=True)
def decoded_here(monkeypatch):
    """Uploads are decoded in this process, which is sooner; the tests of the limits do not."""
    monkeypatch.setattr(limited_process, "decode", limited_process.decode_here)


@pytest.fixture
def many(examples):
    """A session of the store of 120 galaxies, with an empty journal."""
    path = examples["many"].with_name("many.journal.sqlite")
    path.unlink(missing_ok=True)
    return begin(examples["many"])
