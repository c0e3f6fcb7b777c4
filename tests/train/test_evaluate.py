import json
import shutil

import numpy as np
import pandas as pd
import pytest

from pcvae.anomaly import NORMAL
from pcvae.catalog import complete
from pcvae.errors import SettingsError, StoreError
from pcvae.labels import LABELS, Latent, wrap_angle
from pcvae.metrics import METRICS
from pcvae.ranking import purity
from pcvae.store import ModelInfo, StoreInfo, StoreWriter, read_store
from pcvae.trials import HeldOut, Trials
from train import encode, evaluate, train
from train.evaluation.evaluation import Evaluation
from train.evaluation.galaxy_pool import estimates, gather
from train.evaluation.rare_search import FOLDS, Search
from train.evaluation.rare_search import difference as rare_difference
from train.report_pages import metric_figures

NAMES = [label.name for label in LABELS]
PHYSICS = ModelInfo("physics", "physics", "default", tuple(Latent(n, n) for n in [*NAMES, "free"]))
VANILLA = ModelInfo("vanilla", "vanilla", "paper", tuple(Latent(n, n) for n in "abcde"))
RARE, HARD = ("red_spiral", "green_pea"), ("star",)
NOISE = {"orientation": 0.05, "redshift": 0.05, "log_mass": 0.3, "log_sfr": 0.6}


def catalogue(rng, normal, rare, splits):
    """Galaxies whose fluxes tell redshift and mass, but not the star-formation rate."""
    count = normal + sum(rare.values())
    population = ["field"] * normal + [name for name, n in rare.items() for _ in range(n)]
    table = pd.DataFrame(
        {
            "id": [f"g{row}" for row in range(count)],
            "population": population,
            "orientation": rng.uniform(-np.pi / 2, np.pi / 2, count),
            "redshift": rng.uniform(0.05, 1.0, count),
            "log_mass": rng.normal(10, 0.6, count),
            "log_sfr": rng.normal(0, 0.5, count),
        }
    )
    bright = 10 ** (0.4 * (table["log_mass"] - 9))
    for power, band in enumerate("grz"):
        table[f"flux_{band}"] = bright * (1 + table["redshift"]) ** power
        table[f"flux_{band}_err"] = 0.02
    table["split"] = rng.choice(["train", "validation", "test"], count, p=splits)
    table.loc[table["population"] != "field", "split"] = "held_out"
    return complete(table, "grz")


def physics_latents(rng, table):
    columns = {"id": table["id"]}
    for name, noise in NOISE.items():
        columns[name] = table[name] + rng.normal(0, noise, len(table))
        columns[f"{name}_sigma"] = np.full(len(table), noise)
    columns["orientation"] = wrap_angle(columns["orientation"])
    free = rng.normal(size=len(table))
    for name, away in (("red_spiral", 7.0), ("green_pea", -7.0), ("star", -6.0)):
        free += away * (table["population"] == name)
    return pd.DataFrame({**columns, "free": free, "free_sigma": 0.1, "recon_error": 0.25})


def vanilla_latents(rng, table):
    columns = {"id": table["id"], "recon_error": 0.2}
    for latent, name in zip("abcd", NAMES, strict=True):
        columns[latent] = table[name] + rng.normal(0, 0.1, len(table))
    columns["e"] = rng.normal(size=len(table))
    return pd.DataFrame(columns)


def write(folder, *, normal=500, rare=None, without=(), splits=(0.6, 0.2, 0.2), seed=0):
    """A store with synthetic latents of both models."""
    rng = np.random.default_rng(seed)
    rare = {"red_spiral": 40, "green_pea": 13, "star": 20} if rare is None else rare
    table = catalogue(rng, normal, rare, splits)
    info = StoreInfo(
        "example", "simulated for a test", ("g", "r", "z"), 0.262, 32, "nanomaggy",
        RARE, HARD, (PHYSICS, VANILLA), None, "", "",
    )  # fmt: skip
    writer = StoreWriter(folder, {})
    writer.write_part("physics", 0, physics_latents(rng, table))
    writer.write_part("vanilla", 0, vanilla_latents(rng, table))
    table[list(without)] = np.nan
    for model in ("physics", "vanilla"):
        (folder.parent / model).mkdir(exist_ok=True)
    folders = {model: folder.parent / model for model in ("physics", "vanilla")}
    writer.finish(info, table, folders)
    return folder


def judge(store, *options):
    report = store.parent / f"report-{store.name}"
    evaluate.main([str(store), str(report), *options])
    return json.loads((report / "metrics.json").read_text())


def measured(store, *steps, train_store=None):
    """The metrics of some steps alone, without a report."""
    pool = gather(read_store(store), read_store(train_store) if train_store else None)
    evaluation = Evaluation(pool, store=read_store(store))
    for name in steps:
        evaluation.steps()[name]()
    return evaluate.plain(evaluation.metrics)


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory):
    return write(tmp_path_factory.mktemp("stores") / "full")


@pytest.fixture(scope="module")
def metrics(synthetic):
    return judge(synthetic)


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


def test_a_report_is_not_replaced_unasked(metrics, synthetic):
    with pytest.raises(SettingsError, match="--overwrite"):
        judge(synthetic)


def test_a_folder_that_is_no_report_is_never_replaced(synthetic, tmp_path):
    with pytest.raises(SettingsError, match="not replaced"):
        evaluate.main([str(synthetic), str(tmp_path), "--overwrite"])


def test_a_real_store_is_judged(store, sample, tmp_path, capsys):
    options = ["--sample", str(sample.folder), "--resnet-epochs", "1"]
    evaluate.main([str(store), str(tmp_path / "report"), *options])
    metrics = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert set(metrics["models"]) == {"physics"}
    assert np.isfinite(metrics["baselines"]["resnet18"]["redshift"]["r2"])
    assert metrics["photometry_from"] == "light in rings"
    assert "log_mass" in capsys.readouterr().out
    cost = metrics["cost"]["physics"]
    assert cost["epochs"] == 1
    assert 0 < cost["encode_ms"] < cost["encode_decode_ms"] * 1.5
    hours = 20e9 * cost["encode_ms"] / 3.6e6 * cost["threads"]
    assert cost["survey_cpu_hours"] == pytest.approx(hours)
    assert cost["weights"] > 10_000
    page = (tmp_path / "report" / "report.html").read_text()
    assert f"{cost['survey_cpu_hours']:,.0f}" in page


def test_loss_curves_show_terms_below_zero():
    """A log-likelihood has no logarithm."""
    history = pd.DataFrame({"epoch": [0, 1], "train_total": [3.0, -1.0], "train_image": [9, 8]})
    axes = {ax.get_title(): ax for ax in metric_figures.loss_figure({"physics": history}).axes}
    assert axes["physics: total"].get_lines()[0].get_ydata().tolist() == [3, -1]
    assert axes["physics: total"].get_yscale() == "linear"
    assert axes["physics: image"].get_yscale() == "log"


@pytest.mark.parametrize("many", [10, 10_000])
def test_errors_are_drawn_of_each_galaxy_or_of_a_typical_one(synthetic, monkeypatch, many):
    monkeypatch.setattr(metric_figures, "MANY", many)
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


def test_a_section_without_anything_to_show_is_not_on_the_page(tmp_path):
    store = write(tmp_path / "mine", normal=200, rare={}, splits=(0, 0, 1))
    judge(store)
    page = (tmp_path / "report-mine" / "report.html").read_text()
    assert "<h2>Fig. 1" in page
    assert "<h2>Fig. 3" not in page
    assert "<h2>The search for rare" not in page


def test_the_page_says_what_each_model_learnt_from(store, sample, tmp_path):
    """Its own galaxies may be real where those that it learnt from were not."""
    mine = shutil.copytree(store, tmp_path / "mine")
    facts = json.loads((mine / "store.json").read_text()) | {"source": "Seen by a telescope"}
    (mine / "store.json").write_text(json.dumps(facts))
    judge(mine)
    page = (tmp_path / "report-mine" / "report.html").read_text()
    told = page.partition("<h2>Labels</h2>")[0]
    assert "Seen by a telescope" in told
    assert f"{sample.info.name}: {sample.info.source}" in told


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


def test_a_model_of_galaxies_without_labels_is_judged_by_what_it_has(make_sample, tmp_path):
    """Only the orientation is known: the rest of the tied latents became free ones."""
    labels = [f"{one}{end}" for one in ("redshift", "log_mass", "log_sfr") for end in ("", "_err")]
    sample = make_sample(tmp_path / "sample", without=labels, rare=())
    run = train.main(
        [str(sample.folder), str(tmp_path / "run"), "--epochs", "1", "--device", "cpu"]
    )
    store = [str(sample.folder), str(tmp_path / "store"), "--run", f"physics={run}"]
    report = evaluate.main([str(encode.main(store)), str(tmp_path / "report")])
    figures = json.loads((report / "metrics.json").read_text())["models"]["physics"]
    assert figures["orientation"]["r2"] is not None
    assert figures["redshift"]["r2"] is None
    assert (report / "report.html").exists()
