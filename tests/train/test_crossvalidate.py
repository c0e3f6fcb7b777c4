import json
from contextlib import closing

import numpy as np
import pandas as pd
import pytest

from pcvae.cutouts import read_sample
from pcvae.errors import SettingsError
from pcvae.journal import Journal
from train import crossvalidate


@pytest.fixture(scope="module")
def report(sample, tmp_path_factory):
    folder = tmp_path_factory.mktemp("folds") / "report"
    options = ["--folds", "2", "--epochs", "1", "--device", "cpu"]
    return crossvalidate.main([str(sample.folder), str(folder), *options])


def test_every_galaxy_is_tested_by_a_run_that_never_saw_it(report, sample):
    table = pd.read_parquet(report / "estimates.parquet")
    assert list(table["id"]) == list(sample.catalog["id"])
    assert np.isfinite(table["redshift"]).all()
    for number in (0, 1):
        split = pd.read_parquet(report / f"fold-{number}" / "run" / "split.parquet")["split"]
        np.testing.assert_array_equal(split == "held_out", table["fold"] == number)
        assert set(split) == {"train", "validation", "held_out"}


def test_all_galaxies_count_and_baselines_stand_beside(report):
    metrics = json.loads((report / "metrics.json").read_text())
    assert metrics["models"]["physics"]["log_mass"]["n"] == 120
    assert metrics["baselines"]["photometry_extra_trees"]["log_mass"]["n"] == 120
    assert metrics["gains"]["physics"]["photometry_gbt"]["redshift"]["low"] is not None
    for baseline in metrics["baselines"].values():
        assert 0.8 < baseline["redshift"]["coverage90"] <= 1


def test_the_folds_pixels_are_those_of_the_sample(report, sample):
    fold = read_sample(report / "fold-1" / "sample")
    where = slice(0, 8)
    np.testing.assert_array_equal(fold.pixels(where), sample.pixels(where))


def test_what_people_labelled_as_rare_trains_in_no_fold_and_is_not_counted(
    sample, tmp_path, capsys
):
    """Labels by name and middling scores take part as in train.train; others change nothing."""
    with closing(Journal(tmp_path / "labels.sqlite", user="ana")) as journal:
        for galaxy, label in (("g0001", "ring"), ("g0002", "2"), ("g0003", "artefact")):
            journal.tag(galaxy, label)
    options = ["--folds", "2", "--epochs", "1", "--device", "cpu"]
    labels = ["--labels", str(tmp_path / "labels.sqlite")]
    report = crossvalidate.main([str(sample.folder), str(tmp_path / "r"), *options, *labels])
    assert "2 change their population" in capsys.readouterr().out
    for number in (0, 1):
        split = pd.read_parquet(report / f"fold-{number}" / "run" / "split.parquet")
        never = split.set_index("id")["split"] == "held_out"
        assert never[["g0001", "g0002"]].all()
    metrics = json.loads((report / "metrics.json").read_text())
    for group in (metrics["models"], metrics["baselines"]):
        assert all(figures["redshift"]["n"] == 118 for figures in group.values())
    assert metrics["notes"][0].startswith("labels: 3 galaxies")
    assert len(pd.read_parquet(report / "estimates.parquet").dropna()) == 120
    with closing(Journal(tmp_path / "labels.sqlite", user="ana")) as journal:
        journal.tag("g0005", "ring")
    with pytest.raises(SettingsError, match="another command or other labels"):
        crossvalidate.main([str(sample.folder), str(report), *options, *labels])


def test_another_command_does_not_go_on(report, sample):
    with pytest.raises(SettingsError, match="another command"):
        crossvalidate.main([str(sample.folder), str(report), "--folds", "3"])


@pytest.mark.parametrize("folds", ["1", "500"])
def test_impossible_folds_are_refused(sample, tmp_path, folds):
    with pytest.raises(SettingsError, match="--folds"):
        crossvalidate.main([str(sample.folder), str(tmp_path / "r"), "--folds", folds])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--epochz", "1"], "unrecognized arguments"),
        (["--model=vanilla"], "expected a physics model"),
        (["--init", "RUN"], "fitted to"),
    ],
)
def test_what_no_fold_could_be_trained_with_is_found_first(
    sample, runs, tmp_path, capsys, options, said
):
    """Else the right command would not be the one with which the report was begun."""
    options = [one.replace("RUN", str(runs["physics"])) for one in options]
    with pytest.raises((SettingsError, SystemExit)) as error:
        crossvalidate.main([str(sample.folder), str(tmp_path / "r"), "--folds", "2", *options])
    assert said in str(error.value) + capsys.readouterr().err
    assert not (tmp_path / "r").exists()
