"""The list of labels."""

from dashboard.active_learning.label_list import when


def test_a_time_is_told_without_its_seconds():
    assert when("2026-03-04T05:06:07.891011+00:00") == "4 Mar 05:06"
