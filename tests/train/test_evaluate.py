import json
import shutil
from contextlib import redirect_stdout
from io import StringIO

import numpy as np
import pandas as pd
import pytest

from pcvae.anomaly import NORMAL
from pcvae.errors import StoreError
from pcvae.journal import Journal
from pcvae.label_classes import read_labels
from pcvae.metrics import METRICS
from pcvae.ranking import purity
from pcvae.store import read_store
from pcvae.trials import HeldOut, Trials
from tests.train.synthetic import (
    NAMES,
    NOISE,
    RARE,
    judge,
    write,
)
from train import encode, evaluate, train
from train.evaluation import cnn_baseline
from train.evaluation.evaluation import Evaluation, Inputs
from train.evaluation.galaxy_pool import estimates, gather, with_labels
from train.evaluation.rare_search import FOLDS, Search
from train.evaluation.rare_search import recall_gain as rare_difference


def measured(store, *steps, train_store=None):
    """The metrics of some steps alone, without a report."""
    pool = gather(read_store(store), read_store(train_store) if train_store else None)
    evaluation = Evaluation(pool, inputs=Inputs(read_store(store)))
    for name in steps:
        evaluation.steps()[name]()
    return evaluate.plain(evaluation.metrics)


def test_metrics_have_the_documented_shape(metrics):
    assert set(metrics) >= {"n", "models", "baselines", "anomaly", "reconstruction", "seconds"}
    assert set(metrics["n"]) == {"train", "validation", "test", "held_out"}
    assert set(metrics["models"]) == {"physics"}
    photometry = {f"photometry_{kind}" for kind in ("gbt", "mlp", "extra_trees")}
    assert set(metrics["baselines"]) == {*photometry, "vanilla_knn"}
    for group in ("models", "baselines"):
        for labels in metrics[group].values():
            assert set(labels) == set(NAMES)
            assert all(set(METRICS) <= set(figures) for figures in labels.values())
    keys = {
        "n", "recall", "recall_low", "recall_high", "false_positive_rate", "recall_at_fpr_0.01",
        "average_precision", "precision_at_10", "purity_at_base_rate", "base_rate",
    }  # fmt: skip
    for populations in metrics["anomaly"].values():
        assert set(populations) == set(RARE)
        assert all(keys <= set(figures) for figures in populations.values())
    assert all(seconds >= 0 for seconds in metrics["seconds"].values())


def test_labels_are_judged_on_normal_test_galaxies(metrics, synthetic):
    galaxies = pd.read_parquet(synthetic / "galaxies.parquet")
    assert metrics["models"]["physics"]["redshift"]["n"] == (galaxies["split"] == "test").sum()


@pytest.mark.parametrize("name", NAMES[1:])
def test_a_models_noise_is_found_again(metrics, name):
    figures, noise = metrics["models"]["physics"][name], NOISE[name]
    spread = {"redshift": 0.26, "log_mass": 0.6, "log_sfr": 0.5}[name]
    assert figures["r2"] == pytest.approx(1 - (noise / spread) ** 2, abs=0.35)
    assert figures["low"] < figures["r2"] < figures["high"]
    assert figures["coverage90"] == pytest.approx(0.9, abs=0.1)
    assert figures["mad"] == pytest.approx(0.67 * noise, rel=0.3)


def test_photometry_learns_what_fluxes_tell_and_nothing_else(metrics):
    for kind in ("gbt", "mlp", "extra_trees"):
        figures = metrics["baselines"][f"photometry_{kind}"]
        assert figures["redshift"]["r2"] > 0.7
        assert figures["log_mass"]["r2"] > 0.7
        assert figures["log_sfr"]["r2"] < 0.2
        assert figures["orientation"]["r2"] is None


def test_neighbours_of_vanilla_latents_know_the_labels(metrics):
    figures = metrics["baselines"]["vanilla_knn"]
    assert figures["log_mass"]["r2"] > 0.5
    assert figures["orientation"]["r2"] > 0.3


def test_rare_galaxies_apart_in_one_space_only_are_found_there_only(metrics):
    found = {model: metrics["anomaly"][model]["red_spiral"] for model in ("physics", "vanilla")}
    assert found["physics"]["recall"] > 0.9
    assert found["physics"]["recall_at_fpr_0.01"] > 0.9
    assert found["vanilla"]["average_precision"] < 0.6
    for one in found.values():
        assert one["recall_low"] <= one["recall"] <= one["recall_high"]


def test_look_alikes_are_reported_apart(metrics):
    """Stars lie where Green Peas do, so they are taken for them far more often than others."""
    figures = metrics["anomaly"]["physics"]["green_pea"]
    assert figures["hard_negatives"]["star"]["n"] == 20
    assert figures["hard_negatives"]["star"]["false_positive_rate"] > 0.3
    assert figures["false_positive_rate"] < 0.3


def test_the_same_seed_gives_the_same_metrics(metrics, synthetic):
    again = measured(synthetic, "models", "vanilla_knn", "photometry", "labels", "bins", "anomaly")
    assert again["anomaly"] == metrics["anomaly"]
    assert again["baselines"] == metrics["baselines"]


def test_only_an_orientation_is_enough(tmp_path):
    without = ["redshift", "log_mass", "log_sfr", "flux_g", "flux_r", "flux_z"]
    metrics = measured(write(tmp_path / "s", without=without), "models", "photometry", "labels")
    assert metrics["models"]["physics"]["orientation"]["r2"] > 0.9
    for name in NAMES[1:]:
        figures = metrics["models"]["physics"][name]
        assert figures["n"] == 0
        assert all(figures[key] is None for key in METRICS)
    assert any("aperture fluxes" in note for note in metrics["notes"])


def test_no_labels_at_all_are_no_error(tmp_path):
    metrics = judge(write(tmp_path / "s", normal=60, without=NAMES))
    assert metrics["models"]["physics"]["orientation"]["n"] == 0


def test_without_rare_galaxies_the_search_is_empty_and_says_so(tmp_path):
    metrics = measured(write(tmp_path / "s", rare={}), "anomaly")
    assert metrics["anomaly"] == {}
    assert any("no rare populations" in note for note in metrics["notes"])


@pytest.mark.parametrize("rare", [{"red_spiral": 1}, {"red_spiral": 2}, {"green_pea": 3}])
def test_a_handful_of_rare_galaxies_is_enough_or_left_out(tmp_path, rare):
    metrics = measured(write(tmp_path / "s", normal=150, rare=rare), "anomaly")
    (name, count), *_ = rare.items()
    figures = metrics["anomaly"]["physics"][name]
    assert figures["n"] == count
    assert ("left_out" in figures) == (count < 2)


def test_a_store_without_test_galaxies_judges_nothing(tmp_path):
    metrics = judge(write(tmp_path / "s", normal=100, rare={}, splits=(0.5, 0.5, 0)))
    assert metrics["models"]["physics"]["redshift"]["n"] == 0
    assert metrics["notes"]


def test_new_galaxies_are_judged_with_baselines_from_another_store(tmp_path):
    trained = write(tmp_path / "trained")
    fresh = write(tmp_path / "fresh", normal=300, rare={}, seed=1)
    galaxies = pd.read_parquet(fresh / "galaxies.parquet").assign(split="new")
    galaxies.to_parquet(fresh / "galaxies.parquet")
    metrics = measured(fresh, "models", "photometry", "labels", train_store=trained)
    assert metrics["models"]["physics"]["redshift"]["n"] == 300
    assert metrics["baselines"]["photometry_gbt"]["redshift"]["r2"] > 0.7


def test_a_validation_galaxy_without_light_leaves_the_baselines_their_sigmas(tmp_path):
    store = write(tmp_path / "dark")
    galaxies = pd.read_parquet(store / "galaxies.parquet")
    first = galaxies.index[galaxies["split"] == "validation"][0]
    galaxies.loc[first, [name for name in galaxies if name.startswith("flux_")]] = np.nan
    galaxies.to_parquet(store / "galaxies.parquet")
    found = measured(store, "photometry", "labels")["baselines"]["photometry_gbt"]["redshift"]
    assert 0.8 < found["coverage90"] <= 1
    assert found["crps"] > 0


def test_galaxies_of_the_test_split_and_new_ones_are_judged_together(tmp_path):
    store = write(tmp_path / "mixed", normal=300, rare={"red_spiral": 30})
    galaxies = pd.read_parquet(store / "galaxies.parquet")
    tested = int((galaxies["split"] == "test").sum())
    learnt = galaxies.index[galaxies["split"] == "validation"][:20]
    galaxies.loc[learnt, "split"] = "new"
    rare = galaxies["population"] == "red_spiral"
    galaxies.loc[rare, "split"] = "new"  # of a sample that the runs never saw
    galaxies.to_parquet(store / "galaxies.parquet")
    metrics = measured(store, "models", "labels", "anomaly")
    assert metrics["models"]["physics"]["redshift"]["n"] == tested + 20
    assert metrics["anomaly"]["physics"]["red_spiral"]["n"] == 30


def test_another_stores_latents_must_be_the_same(tmp_path):
    trained, fresh = write(tmp_path / "trained", normal=50), write(tmp_path / "fresh", normal=50)
    text = (trained / "store.json").read_text()
    (trained / "store.json").write_text(text.replace('"free"', '"other"'))
    with pytest.raises(StoreError, match="with the same runs"):
        judge(fresh, "--train-store", str(trained))


@pytest.fixture(scope="module")
def judged(store, sample, tmp_path_factory):
    """The report on real galaxies, seen by models of simulated ones; and what was printed."""
    folder = tmp_path_factory.mktemp("judged")
    mine, report, said = shutil.copytree(store, folder / "mine"), folder / "report", StringIO()
    facts = json.loads((mine / "store.json").read_text()) | {"source": "Seen by a telescope"}
    (mine / "store.json").write_text(json.dumps(facts))
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said):
        patch.setattr(cnn_baseline, "MAX_EPOCHS", 2)
        evaluate.main([str(mine), str(report), "--sample", str(sample.folder), "--cnn"])
    return report, said.getvalue()


def test_a_real_store_is_judged(judged):
    report, said = judged
    metrics = json.loads((report / "metrics.json").read_text())
    assert set(metrics["models"]) == {"physics"}
    assert np.isfinite(metrics["baselines"]["cnn"]["redshift"]["r2"])
    assert metrics["photometry_from"] == "light in rings"
    assert "log_mass" in said
    cost = metrics["cost"]["physics"]
    assert cost["epochs"] == 1
    assert 0 < cost["encode_ms"] < cost["encode_decode_ms"] * 1.5
    hours = 20e9 * cost["encode_ms"] / 3.6e6 * cost["threads"]
    assert cost["survey_cpu_hours"] == pytest.approx(hours)
    assert cost["weights"] > 10_000
    page = (report / "report.html").read_text()
    assert f"{cost['survey_cpu_hours']:,.0f}" in page


def test_the_page_says_what_each_model_learnt_from(judged, sample):
    """Its own galaxies may be real where those that it learnt from were not."""
    told = (judged[0] / "report.html").read_text().partition("<h2>Labels</h2>")[0]
    assert "Seen by a telescope" in told
    assert f"{sample.info.name}: {sample.info.source}" in told


def test_parts_together_are_all_tested_galaxies(metrics):
    for label, kinds in metrics["bins"]["physics"].items():
        tested = metrics["models"]["physics"][label]["n"]
        for kind in ("redshift", "magnitude"):
            assert sum(one["n"] for one in kinds[kind].values()) == tested
        assert set(kinds["population"]) == {"field", "red_spiral", "green_pea", "star"}


def test_gains_are_differences_of_r2(metrics):
    gain = metrics["gains"]["physics"]["photometry_gbt"]["log_mass"]
    ours = metrics["models"]["physics"]["log_mass"]["r2"]
    theirs = metrics["baselines"]["photometry_gbt"]["log_mass"]["r2"]
    assert gain["gain"] == pytest.approx(ours - theirs)
    assert gain["low"] < gain["gain"] < gain["high"]


def test_a_free_latent_of_noise_leaks_nothing(metrics):
    for told in metrics["disentanglement"]["physics"]["leaks"].values():
        assert told < 0.1


def test_the_better_space_gains_recall(metrics):
    gain = metrics["anomaly_gains"]["physics over vanilla"]["red_spiral"]
    found = {model: metrics["anomaly"][model]["red_spiral"] for model in ("physics", "vanilla")}
    expected = found["physics"]["recall_at_fpr_0.01"] - found["vanilla"]["recall_at_fpr_0.01"]
    assert gain["gain"] == pytest.approx(expected)
    assert 0 < gain["low"] <= gain["gain"] <= gain["high"]


def searched(normal, rare):
    """A search of which only the margins are known, of one repeat in as many folds."""
    margin = np.concatenate([normal, rare])[:, None]
    truth = np.repeat([0, 1], [len(normal), len(rare)])
    parts = np.array_split(np.random.default_rng(0).permutation(len(truth)), FOLDS)
    tests = tuple(HeldOut(p, truth[p], np.zeros(len(p), int), margin[p]) for p in parts)
    found = Search.__new__(Search)
    found.folds, found.repeats = Trials((NORMAL, "pea"), tests, {}), 1
    return found


def test_an_interval_of_recall_knows_that_its_threshold_is_of_few_galaxies():
    """All rare galaxies lie between the highest normal one and the next."""
    normal = np.arange(200.0)
    lucky, unlucky = searched(normal, np.full(50, 197.5)), searched(normal, np.full(50, 196.5))
    assert rare_difference(lucky, unlucky, "pea", 0)["gain"] == 1
    assert rare_difference(lucky, unlucky, "pea", 0)["low"] == 0
    clear = rare_difference(searched(normal, np.full(50, 300.0)), unlucky, "pea", 0)
    assert (clear["gain"], clear["high"]) == (1, 1)


def test_galaxies_of_ones_own_say_which_store_would_give_them_baselines(tmp_path):
    store = write(tmp_path / "mine", normal=200, splits=(0, 0, 1))
    metrics = measured(store, "models", "vanilla_knn", "photometry", "labels")
    assert not any(name.startswith("photometry") for name in metrics["baselines"])
    assert any("--train-store" in note for note in metrics["notes"])
    assert metrics["photometry_from"] is None


def test_recall_at_a_rate_that_few_galaxies_cannot_have_is_unknown(tmp_path):
    metrics = measured(write(tmp_path / "few", normal=200, rare={"red_spiral": 20}), "anomaly")
    found = metrics["anomaly"]["physics"]["red_spiral"]
    assert found["normal"] < 100
    assert found["recall"] > 0.9
    assert found["recall_at_fpr_0.01"] is None
    assert any("too few" in note for note in metrics["notes"])


def test_purity_is_for_a_survey_without_the_samples_hard_negatives(metrics):
    for populations in metrics["anomaly"].values():
        for one in populations.values():
            rate = one["false_positive_rate_field"]
            stars = one["hard_negatives"]["star"]
            field = one["normal"] - stars["n"]
            alarms = field * rate + stars["n"] * stars["false_positive_rate"]
            assert alarms == pytest.approx(one["normal"] * one["false_positive_rate"])
            expected = purity(one["recall"], rate, one["base_rate"])
            assert one["purity_at_base_rate"] == pytest.approx(expected, nan_ok=True)


def test_a_catalogues_own_error_widens_what_is_claimed_of_its_value():
    latents = pd.DataFrame({"redshift": [0.5, 0.5], "redshift_sigma": [0.03, 0.03]})
    galaxies = pd.DataFrame({"redshift_err": [0.04, np.nan]})
    assert estimates(latents, galaxies)["redshift"].sigma == pytest.approx([0.05, 0.03])


def test_a_model_of_galaxies_without_some_labels_is_judged_by_what_it_has(make_sample, tmp_path):
    """The latents of labels that are not known became free ones."""
    labels = [f"{one}{end}" for one in ("redshift", "log_mass") for end in ("", "_err")]
    sample = make_sample(tmp_path / "sample", without=labels, rare=())
    run = train.main(
        [str(sample.folder), str(tmp_path / "run"), "--epochs", "1", "--device", "cpu"]
    )
    store = [str(sample.folder), str(tmp_path / "store"), "--run", f"physics={run}"]
    report = evaluate.main([str(encode.main(store)), str(tmp_path / "report")])
    figures = json.loads((report / "metrics.json").read_text())["models"]["physics"]
    assert figures["orientation"]["r2"] is not None
    assert figures["log_sfr"]["r2"] is not None
    assert figures["redshift"]["r2"] is None
    assert (report / "report.html").exists()


def test_people_s_labels_are_rare_populations_of_the_search(synthetic, tmp_path):
    pool = gather(read_store(synthetic))
    normal = pool.test & ~pool.galaxies["population"].isin(pool.info.rare).to_numpy()
    seen = pool.galaxies["id"][pool.train].iloc[0]
    journal = Journal(tmp_path / "labels.sqlite", user="ana")
    for galaxy in [*pool.galaxies["id"][normal].iloc[:6], seen]:
        journal.tag(galaxy, "ring")
    journal.close()
    labelled, (message,) = with_labels(pool, read_labels(str(tmp_path / "labels.sqlite")))
    assert "ring" in labelled.info.rare
    assert (labelled.unseen & (labelled.galaxies["population"] == "ring")).sum() == 6
    assert labelled.test.sum() == pool.test.sum() - 6
    assert labelled.train.sum() == pool.train.sum() - 1
    assert "1 rare ones were seen in training" in message
