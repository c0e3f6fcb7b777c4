"""Links of a position on the sky."""

import numpy as np

from dashboard.galaxy.card import links_of


def test_links_carry_the_place():
    links = links_of(150.1, -2.2)
    assert "ra=150.100000&dec=-2.200000" in links["Legacy Surveys"]
    assert links_of(np.nan, 1.0) == {}
