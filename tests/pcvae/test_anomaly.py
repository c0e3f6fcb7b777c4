import subprocess
import sys

import numpy as np
import pytest

from pcvae.anomaly import (
    MAX_NORMAL,
    NORMAL,
    UNUSED,
    anomaly_score,
    classes_of,
    fit_score,
    training_rows,
)
from pcvae.classifier import MIN_TREES, Classifier, balance, pipeline, svm_margins
from pcvae.trials import paper_trials
from tests.pcvae.classes import galaxies


def codes(classes):
    """The index of each galaxy's class, normal first."""
    names = [NORMAL, *sorted({*classes} - {NORMAL})]
    return np.array([names.index(name) for name in classes])


def test_only_rare_populations_are_classes_of_their_own():
    classes = classes_of(["field", "green_pea", "star", "red_spiral"], ["green_pea"])
    assert list(classes) == ["normal", "green_pea", "normal", "normal"]


@pytest.mark.parametrize("green", [1, 2, 4, 12])
def test_smote_balances_classes_of_any_size(green):
    values, classes = galaxies(green=green)
    more, names = balance(values, classes)
    assert set(np.unique(names, return_counts=True)[1]) == {400}
    np.testing.assert_array_equal(more[: len(values)], values)


def test_synthetic_galaxies_lie_between_those_of_their_class():
    values, classes = galaxies(axes=2)
    more, names = balance(values, classes)
    made, real = more[names == "green"], values[classes == "green"]
    assert (made >= real.min(axis=0)).all()
    assert (made <= real.max(axis=0)).all()


def test_the_two_pipelines_order_their_steps_as_documented():
    assert list(pipeline("paper").named_steps) == ["smote", "scaler", "svm"]
    assert list(pipeline("default").named_steps) == ["scaler", "smote", "svm"]
    assert pipeline("paper")["svm"].gamma == "auto"


def test_rare_galaxies_score_above_normal_ones():
    values, classes = galaxies(apart=6.0)
    score = anomaly_score(values, classes, ["red", "green"])
    assert ((score >= 0) & (score <= 1)).all()
    assert np.median(score[classes != NORMAL]) > 0.5
    assert np.median(score[classes == NORMAL]) < 0.05


@pytest.mark.parametrize("rare", [["red"], ["red", "green"]])
def test_margins_are_the_decisions_of_the_pipeline_against_normal(rare):
    values, classes = galaxies(apart=2.0)
    svm = pipeline().fit(values, codes(classes_of(classes, rare)))
    decision = svm.decision_function(values)
    expected = decision[:, None] if len(rare) == 1 else -decision[:, :2]
    np.testing.assert_allclose(svm_margins(svm, values), expected, atol=2e-3)


def test_trees_take_part_for_classes_of_twenty_galaxies():
    """By hand: 3 times the SVM's decision, and the trees' odds were all classes of one size."""
    values, classes = galaxies(red=MIN_TREES, green=MIN_TREES - 1, apart=2.0)
    fitted = Classifier.fit(values, codes(classes))
    decision = -fitted.svm.decision_function(values)[:, :2]
    odds = fitted.trees.predict_proba(values)
    told = np.log(odds[:, 2] / odds[:, 0]) + np.log(400 / MIN_TREES)
    margins = fitted.margins(values)
    np.testing.assert_allclose(margins[:, 0], 3 * decision[:, 0], atol=1e-2)
    np.testing.assert_allclose(margins[:, 1], 3 * decision[:, 1] + told, atol=1e-2)
    few, names = galaxies(red=3, green=3)
    assert Classifier.fit(few, codes(names)).trees is None


def test_a_galaxy_is_given_to_the_class_of_its_largest_margin_above_zero():
    margins = np.array([[-1.0, -2.0], [0.5, 0.2], [-1.0, 0.1]])
    np.testing.assert_array_equal(Classifier.predict(margins), [0, 1, 2])


def test_the_score_is_one_minus_the_coupled_probability_of_normal():
    """Price et al. (1995) from the pairs' sigmoids, by hand."""
    values, classes = galaxies(apart=2.0)
    fitted = fit_score(values, classes)
    pairs = 1 / (
        1 + np.exp(-(fitted.margins(values) * fitted.sigmoids[:, 0] + fitted.sigmoids[:, 1]))
    )
    normal = 1 / ((1 / pairs).sum(axis=1) - 1)
    score = anomaly_score(values, classes, ["red", "green"])
    np.testing.assert_allclose(score, 1 - normal, atol=1e-3)


def test_a_galaxy_like_any_one_rare_population_scores_high():
    """Each population counts, not only the first pair of classes."""
    values, classes = galaxies(apart=6.0)
    for name in ("red", "green"):
        centre = np.median(values[classes == name], axis=0)
        fitted = fit_score(values, classes)
        assert fitted.score(fitted.margins([centre, 0 * centre])) == pytest.approx([1, 0], abs=0.1)


def test_a_score_is_calibrated_at_the_shares_of_its_training_set():
    values, classes = galaxies(normal=4000, red=1000, green=0, apart=1.5)
    even = np.arange(len(values)) % 2 == 0
    fitted = fit_score(values[even], classes[even])
    score = fitted.score(fitted.margins(values[~even]))
    rare = classes[~even] != NORMAL
    for low, high in [(0.05, 0.3), (0.3, 0.6), (0.6, 1.0)]:
        bin_ = (score >= low) & (score < high)
        assert rare[bin_].mean() == pytest.approx(score[bin_].mean(), abs=0.1)


def test_a_fit_uses_all_rare_all_judged_and_at_most_5000_normal_galaxies():
    values, classes = galaxies(normal=9000)
    classes = classes.astype(object)
    classes[[1, 9001]] = UNUSED
    values[9002] = np.nan
    rows = training_rows(values, classes, judged=[1, 2, 8999, 9003])
    picked = classes[rows]
    assert (picked == NORMAL).sum() == MAX_NORMAL
    assert {2, 8999, 9003} <= set(rows)
    assert not {1, 9001, 9002} & set(rows)
    assert set(rows) >= set(np.flatnonzero(classes == "green"))
    np.testing.assert_array_equal(rows, np.unique(rows))


def test_an_unused_class_is_none():
    values, classes = galaxies()
    classes = np.where(classes == "red", UNUSED, classes)
    fitted = fit_score(values, classes)
    assert fitted.classes == (NORMAL, "green")
    assert fitted.used == {NORMAL: 400, "green": 12}


def test_galaxies_without_latents_have_no_score():
    values, classes = galaxies()
    values[[0, 450]] = np.nan
    score = anomaly_score(values, classes, ["red", "green"])
    assert list(np.flatnonzero(np.isnan(score))) == [0, 450]


@pytest.mark.parametrize(("red", "green"), [(0, 0), (0, 1), (2, 1), (3, 2)])
def test_tiny_populations_are_scored_or_left_out_but_never_raise(red, green):
    values, classes = galaxies(red=red, green=green)
    score = anomaly_score(values, classes, ["red", "green"])
    assert np.isnan(score).all() == (red < 2 and green < 2)


def test_threads_that_fit_first_at_once_do_not_see_half_of_a_package():
    """Each import of the packages is the process's first, so they need one of their own."""
    code = """
import numpy as np
from concurrent.futures import ThreadPoolExecutor
from pcvae.anomaly import fit_score
from pcvae.classifier import balance, pipeline
from pcvae.boundaries import boundary_grid
values = np.random.default_rng(0).normal(size=(60, 2))
classes = np.repeat(["normal", "red"], [40, 20])
calls = [lambda: fit_score(values, classes), lambda: boundary_grid(values, classes),
    lambda: balance(values, classes), pipeline]
with ThreadPoolExecutor(8) as pool:
    for job in [pool.submit(call) for call in 2 * calls]:
        job.result()
"""
    call = [sys.executable, "-c", code]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_galaxies_have_no_scores():
    assert anomaly_score(np.zeros((0, 5)), [], ["red"]).shape == (0,)


@pytest.mark.parametrize("rare", [("red",), ("red", "green")])
def test_the_margin_is_larger_for_the_rare_class(rare):
    values, classes = galaxies()
    kept = np.isin(classes, [NORMAL, *rare])
    trials = paper_trials(values[kept], classes[kept])
    for test in trials.tests:
        for index, _ in enumerate(trials.classes[1:]):
            own = test.margin[test.truth == index + 1, index]
            assert own.mean() > test.margin[test.truth == 0, index].mean()
