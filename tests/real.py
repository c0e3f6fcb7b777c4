"""What tests on real galaxies share."""

import os

import pytest

needs_real_data = pytest.mark.skipif(
    "PCVAE_REAL_DATA" not in os.environ, reason="PCVAE_REAL_DATA names no folder of real galaxies"
)
