"""Sessions of the example stores."""

import pytest

from tests.dashboard.explorers import begin


@pytest.fixture
def many(examples):
    """A session of the store of 120 galaxies, with an empty journal."""
    path = examples["many"].with_name("many.journal.sqlite")
    path.unlink(missing_ok=True)
    return begin(examples["many"])
