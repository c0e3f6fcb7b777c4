"""Input of the commands of ``data``."""

import numpy as np
import pytest

from tests.data.ingest_input import (
    BANDS,
    arrays,
    catalogue,
    galaxy,
)


@pytest.fixture
def three(tmp_path):
    """Three galaxies with what a catalogue may say of them."""
    folder = catalogue(
        tmp_path / "in",
        id=["a", "b", "c"],
        redshift=[0.1, 0.2, np.nan],
        mass=[10.0, -9999.0, 11.0],
        kind=["plain", "odd", "plain"],
        axis_ratio=[0.9, 0.9, 0.9],
    )
    return arrays(folder, np.stack([galaxy(s) for s in range(3)]), bands=np.array(BANDS))
