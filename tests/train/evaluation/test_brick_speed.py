import pytest

from pcvae.encode import Codec
from train.bench import _run
from train.evaluation.brick_speed import Density, brick_figures

PARTS = ("decompress", "find", "stretch_and_pool", "slice", "encode", "write")


def test_the_cost_of_a_galaxy_is_said_whole_and_in_parts():
    figures = brick_figures({"paper": Codec(_run("paper"))}, (Density(50, 300.0),), side=300)
    assert all(value > 0 for value in figures.values())
    parts = sum(figures[f"paper_at_50_{part}_us"] for part in PARTS)
    assert figures["paper_at_50_all_in_us"] > 0.2 * parts
    assert figures["paper_at_50_goal_us"] == 300
    hours = figures["paper_at_50_cpu_hours_for_20_billion_at_this_rate"]
    assert hours == pytest.approx(figures["paper_at_50_all_in_us"] * 2e10 / 3.6e9)
