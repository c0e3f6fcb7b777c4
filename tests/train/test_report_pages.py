"""The report: its figures, its sections, and that it needs no other file."""

import pandas as pd
import pytest

from pcvae.errors import SettingsError
from pcvae.store import read_store
from tests.train.synthetic import (
    judge,
    write,
)
from train import evaluate
from train.evaluation.galaxy_pool import estimates, gather
from train.report_pages import metric_figures


def test_a_report_is_not_replaced_unasked(metrics, synthetic):
    with pytest.raises(SettingsError, match="--overwrite"):
        judge(synthetic)


def test_a_folder_that_is_no_report_is_never_replaced(synthetic, tmp_path):
    with pytest.raises(SettingsError, match="not replaced"):
        evaluate.main([str(synthetic), str(tmp_path), "--overwrite"])


def test_loss_curves_show_terms_below_zero():
    """A log-likelihood has no logarithm."""
    history = pd.DataFrame({"epoch": [0, 1], "train_total": [3.0, -1.0], "train_image": [9, 8]})
    axes = {ax.get_title(): ax for ax in metric_figures.loss_figure({"physics": history}).axes}
    assert axes["physics: total"].get_lines()[0].get_ydata().tolist() == [3, -1]
    assert axes["physics: total"].get_yscale() == "linear"
    assert axes["physics: image"].get_yscale() == "log"


@pytest.mark.parametrize("many", [10, 10_000])
def test_errors_are_drawn_of_each_galaxy_or_of_a_typical_one(synthetic, monkeypatch, many):
    monkeypatch.setattr(metric_figures, "MAX_ERROR_BARS", many)
    pool = gather(read_store(synthetic))
    found = estimates(pool.latents["physics"], pool.galaxies)
    ax = metric_figures.label_figure(pool, found, "physics").axes[1]
    (bars,) = ax.containers
    drawn = len(bars.lines[2][0].get_segments())
    assert drawn == (1 if many == 10 else pool.test.sum())


def test_the_page_holds_every_figure_and_needs_nothing_else(synthetic, metrics):
    page = (synthetic.parent / "report-full" / "report.html").read_text()
    assert "All galaxies are simulated" in page
    assert page.count("<img") >= 6
    assert "Gagliano &amp; Villar (2023)" in page
    assert "Redshifts of each population" in page
    assert 'src="http' not in page
    assert "<link" not in page


def test_a_page_on_real_galaxies_does_not_say_simulated(tmp_path):
    store = write(tmp_path / "s", normal=80)
    text = (store / "store.json").read_text()
    (store / "store.json").write_text(text.replace("simulated for a test", "seen by SDSS"))
    judge(store)
    assert "simulated" not in (tmp_path / "report-s" / "report.html").read_text()


def test_a_section_without_anything_to_show_is_not_on_the_page(tmp_path):
    store = write(tmp_path / "mine", normal=200, rare={}, splits=(0, 0, 1))
    judge(store)
    page = (tmp_path / "report-mine" / "report.html").read_text()
    assert "<h2>Fig. 1" in page
    assert "<h2>Fig. 3" not in page
    assert "<h2>The search for rare" not in page
