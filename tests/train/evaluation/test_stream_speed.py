from dataclasses import replace

import pytest

from pcvae.recipes import RECIPES
from train.evaluation import stream_speed


def test_both_ways_of_training_are_timed_and_weighed(monkeypatch):
    recipe = RECIPES["paper"]
    few = replace(recipe, fit=replace(recipe.fit, batch=8))
    monkeypatch.setattr(stream_speed, "ROUNDS", 1)
    monkeypatch.setattr(stream_speed, "_peak_apart", stream_speed.peak_of_epoch)
    figures = stream_speed.stream_figures(few, 20)
    assert all(value > 0 for value in figures.values())
    ratio = figures["streamed_seconds_per_epoch"] / figures["in_memory_seconds_per_epoch"]
    assert figures["ratio_of_streamed_to_in_memory"] == pytest.approx(ratio)
    assert {"streamed_peak_bytes_at_160", "in_memory_peak_bytes_at_20"} < set(figures)
