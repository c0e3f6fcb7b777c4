"""The plan for 20 billion galaxies, and its document."""

import json
import re
from pathlib import Path

import pytest

from pcvae.errors import SettingsError
from train import scale
from train.evaluation.survey_plan import Point, growth, plan, slope

TRAIN = Path(__file__).parents[2] / "train"
STORED = TRAIN / "scale.json"


def test_the_tables_of_the_document_are_those_of_the_stored_figures(capsys):
    tables = scale.main([str(STORED)])
    assert capsys.readouterr().out == tables + "\n"
    text = (TRAIN / "SCALE.md").read_text()
    assert re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE) == [
        f"{table}\n" for table in tables.split("\n\n")
    ]


def test_times_and_memory_are_sums_and_slopes_of_what_was_measured():
    figures = json.loads(STORED.read_text())
    parts = ("decompress", "find", "stretch_and_pool", "slice", "encode", "write")
    spent = dict(zip(parts, (5, 4, 3, 2, 50, 1), strict=True))
    for recipe in ("paper", "default"):
        at = f"{recipe}_at_69000"
        figures["bricks"] |= {f"{at}_{part}_us": value for part, value in spent.items()}
        figures["bricks"] |= {f"{at}_all_in_us": 70, f"{at}_all_in_with_dust_undone_us": 106}
    for count, seconds, peak in ((100_000, 5, 1.5e9), (1_000_000, 23, 2.4e9)):
        figures["growth"] |= {
            f"encode_cpu_seconds_at_{count}": 3 * seconds,
            f"index_cpu_seconds_at_{count}": seconds,
            f"index_peak_bytes_at_{count}": peak,
        }
    text = plan(figures)
    assert "| read: decompress bricks | 5.0 | 28 | " in text
    assert "| cut: find, stretch, slice | 9.0 | 50 | " in text
    assert "| catalogue and joining: the whole without the parts | 5.0 | 28 | " in text
    assert "| index: HATS catalogue | 20.0 | 111 | " in text
    assert "| **all** | 90.0 | 500 | " in text
    assert "| dust undone by galaxy, in addition | 36.0 | 200 | " in text
    assert "| 10,000,000 | 609.0 | 203.0 | 11.40 | extrapolated" in text
    assert "1,000 bytes a galaxy | 22.6 million galaxies | 24 GB are full" in text
    assert "encode the sky in 885 regions" in text
    assert slope(growth(figures["growth"])) == pytest.approx((6e-5, 2e-5, 1000))
    assert growth(figures["growth"])[-1] == Point(1_000_000, 69, 23, 2.4e9)


def test_figures_that_are_missing_are_named_with_the_command(tmp_path):
    figures = json.loads(STORED.read_text())
    path = tmp_path / "bench.json"
    del figures["bricks"]["paper_at_69000_find_us"]
    path.write_text(json.dumps(figures))
    with pytest.raises(SettingsError, match=r"paper_at_69000_find_us.*python -m train\.bench"):
        scale.main([str(path)])
    path.write_text("{")
    with pytest.raises(SettingsError, match="cannot be read"):
        scale.main([str(path)])
    with pytest.raises(SettingsError, match="growth for two numbers"):
        growth({})


def test_the_growth_is_drawn(tmp_path):
    scale.main([str(STORED), "--plot", str(tmp_path / "growth.svg")])
    text = (tmp_path / "growth.svg").read_text()
    assert "Peak memory [GB]" in text
    assert "latents to catalogue, extrapolated" in text
