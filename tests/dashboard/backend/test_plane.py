"""The ranges of a plane."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.backend.quantities import robust_limits


@given(st.lists(st.floats(allow_infinity=False, allow_nan=True, width=32), max_size=20))
@settings(max_examples=100, deadline=None)
def test_limits_are_finite_and_in_order(values):
    low, high = robust_limits(np.array(values, np.float64))
    assert np.isfinite([low, high]).all()
    assert low < high
