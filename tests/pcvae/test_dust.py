"""The extinction by the Milky Way's dust."""

import numpy as np
import pytest

from pcvae.dust import dereddening, extinction_of
from pcvae.errors import SettingsError


def test_the_factor_undoes_the_extinction_in_magnitudes():
    factors = dereddening([0.1, 0.0, np.nan], [3.214, 1.211])
    np.testing.assert_allclose(-2.5 * np.log10(factors[0]), [-0.3214, -0.1211])
    np.testing.assert_array_equal(factors[1:], 1.0)


def test_a_band_without_a_known_extinction_is_told():
    assert extinction_of("grz") == {"g": 3.214, "r": 2.165, "z": 1.211}
    assert extinction_of("i", "sdss") == {"i": 1.698}
    with pytest.raises(SettingsError, match="found H: its extinction is not known"):
        extinction_of("gH")
