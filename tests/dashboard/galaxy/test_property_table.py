"""Catalogue and inferred values side by side."""

import numpy as np
import pandas as pd
import pytest

from dashboard.galaxy.property_table import (
    Interval,
    Property,
    difference,
    outlier_html,
    row_html,
    table_html,
)


def test_a_difference_is_in_joint_sigmas():
    assert difference(Interval(1.0, 3.0), Interval(11.0, 4.0)) == pytest.approx(2.0)
    assert np.isnan(difference(Interval(np.nan, 1.0), Interval(1.0, 1.0)))
    assert difference(Interval(0.0, np.nan), Interval(1.0, 0.5)) == pytest.approx(2.0)


def test_orientations_differ_by_less_than_a_quarter_turn():
    near = difference(Interval(-1.55, 0.1), Interval(1.55, 0.0), cyclic=True)
    assert abs(near) == pytest.approx((np.pi - 3.1) / 0.1)


def test_a_value_is_shown_with_two_digits_of_its_error():
    assert str(Interval(0.12345, 0.0123)) == "0.123 ± 0.012"
    assert str(Interval(-10.5, 2.3)) == "\N{MINUS SIGN}10.5 ± 2.3"
    assert str(Interval(np.nan, 1.0)) == "\N{EN DASH}"


def test_a_row_escapes_what_it_shows_and_points_at_large_differences():
    counts = np.ones(4, dtype=int)
    row = Property("<b>", "", Interval(0, 1), Interval(9, 1), counts, (0.0, 1.0), cyclic=False)
    html = row_html(row)
    assert "<b>" not in html
    assert "far" in html
    assert "+6.4" in html


def listed(*titles, free):
    counts = np.ones(4, dtype=int)
    plain = Property("", "", None, Interval(0, 1), counts, (0.0, 1.0), cyclic=False, free=free)
    return [plain._replace(title=title) for title in titles]


@pytest.mark.parametrize(("count", "folded"), [(0, 0), (4, 0), (5, 2), (12, 9)])
def test_free_latents_after_the_first_three_are_folded(count, folded):
    free = listed(*(f"Free latent {k}" for k in range(count)), free=True)
    html = table_html([*listed("Redshift", free=False), *free])
    shown, _, rest = html.partition("<details>")
    rows = [part.count('class="title">Free latent') for part in (shown, rest)]
    assert rows == [count - folded, folded]
    assert (f"{folded} further free latents" in rest) == bool(folded)
    assert "Redshift" in shown


@pytest.mark.parametrize("row", [{"ood": 0.98}, {"ood": np.nan}, {}])
def test_an_ordinary_galaxy_has_no_flag(row):
    assert outlier_html(pd.DataFrame([row], index=[0]), 0) == ""


@pytest.mark.parametrize(
    ("share", "words"), [(0.9984, "99.8 %"), (0.9999, "99.9 %"), (1.0, "all")]
)
def test_an_outlier_is_never_said_to_be_farther_out_than_it_is(share, words):
    assert f"farther out than {words} of them" in outlier_html(pd.DataFrame({"ood": [share]}), 0)
