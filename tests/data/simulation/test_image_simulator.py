from dataclasses import replace

import numpy as np
import pytest

from data.simulation.image_simulator import StampMaker, StampSettings, draw_dust
from data.simulation.population_models import GALAXIES
from data.simulation.sdss_colour_image import sky_server_colour

QUIET = StampSettings(quiet=True, seed=1)


@pytest.fixture(scope="module")
def quiet():
    return StampMaker(QUIET)


@pytest.fixture(scope="module")
def noisy():
    return StampMaker(StampSettings(seed=1))


def total(row):
    return np.array([row[f"flux_{band}_true"] for band in "grz"])


def moments(image):
    """The angle and axis ratio of the second moments of an image."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    x, y = x - (image * x).sum() / image.sum(), y - (image * y).sum() / image.sum()
    xx, yy, xy = ((image * one).sum() / image.sum() for one in (x * x, y * y, x * y))
    root = np.hypot((xx - yy) / 2, xy)
    return np.arctan2(2 * xy, xx - yy) / 2, np.sqrt(
        ((xx + yy) / 2 - root) / ((xx + yy) / 2 + root)
    )


def test_another_galaxy_in_the_same_row_has_another_id(noisy):
    """A run would else take it for the one that it was trained on."""
    ids = {noisy.make(7, population).row["id"] for population in (*GALAXIES, "point_source")}
    assert len(ids) == len(GALAXIES) + 1
    assert "sim-1-000007" in ids


@pytest.mark.parametrize("population", GALAXIES)
def test_the_pixels_of_a_galaxy_sum_to_its_catalogue_flux(quiet, population):
    checked = 0
    for row in range(30):
        stamp = quiet.make(row, population)
        if stamp.row["r50_true"] < 8 and stamp.row["bulge_true"] < 0.9:
            np.testing.assert_allclose(stamp.flux.sum((1, 2)), total(stamp.row), rtol=0.02)
            checked += 1
    assert checked or population == "red_spiral"


@pytest.mark.parametrize("population", ["field", "dusty_spiral"])
def test_the_true_orientation_is_that_of_the_moments(quiet, population):
    error = []
    for row in range(60):
        stamp = quiet.make(row, population)
        if stamp.row["axis_ratio_true"] < 0.6 and 4 < stamp.row["r50_true"] < 12:
            turned = moments(stamp.flux.sum(0))[0] - stamp.row["orientation_true"]
            error.append(abs((turned + np.pi / 2) % np.pi - np.pi / 2))
    assert len(error) > 8
    assert np.median(error) < np.deg2rad(3)


def test_a_galaxy_is_in_the_middle(quiet):
    image = quiet.make(3, "green_pea").flux.sum(0)
    y, x = np.mgrid[:128, :128]
    middle = [(image * one).sum() / image.sum() for one in (x, y)]
    np.testing.assert_allclose(middle, 63.5, atol=0.7)


def test_the_same_row_is_the_same_galaxy_in_another_maker(noisy):
    again = StampMaker(StampSettings(seed=1))
    again.make(5, "field")
    one, other = noisy.make(17, "field"), again.make(17, "field")
    np.testing.assert_array_equal(one.flux, other.flux)
    assert one.row == other.row


def test_another_seed_is_another_galaxy(noisy):
    other = StampMaker(StampSettings(seed=2)).make(17, "field")
    assert other.row["redshift_true"] != noisy.make(17, "field").row["redshift_true"]


def test_the_sky_is_as_noisy_as_the_survey_says(noisy):
    """The bands say the survey's least depth; its images are 0.3 to 1.2 mag deeper."""
    rms = []
    for row in range(20):
        corner = noisy.make(row, "green_pea").flux[:, :24, :24]
        away = np.abs(corner - np.median(corner, axis=(1, 2), keepdims=True))
        rms.append(1.4826 * np.median(away, axis=(1, 2)))
    stated = np.array([0.0056, 0.010, 0.024])
    median = np.median(rms, axis=0) / stated
    np.testing.assert_allclose(median, 10 ** (-0.4 * 0.75), rtol=0.25)
    assert (np.min(rms, axis=0) > 0.85 * stated * 10 ** (-0.4 * 1.2)).all()


def test_labels_are_the_truth_within_their_errors(noisy):
    rows = [noisy.make(row, "field").row for row in range(150)]
    for name in ("redshift", "log_mass", "log_sfr"):
        pull = [(one[name] - one[f"{name}_true"]) / one[f"{name}_err"] for one in rows]
        assert np.std(pull) == pytest.approx(1.0, abs=0.2)
        assert abs(np.mean(pull)) < 0.3


def test_a_star_has_no_redshift_and_a_quasar_no_mass(noisy):
    rows = [noisy.make(row, "point_source").row for row in range(30)]
    redshift = np.array([one["redshift"] for one in rows])
    assert np.isnan(redshift).any()
    assert np.isfinite(redshift).any()
    assert np.isnan([one["log_mass"] for one in rows]).all()
    assert np.isnan([one["log_sfr_err"] for one in rows]).all()


def test_point_sources_are_as_wide_as_the_seeing(quiet):
    image = quiet.make(2, "point_source").flux[1]
    radius = np.hypot(*(np.mgrid[:128, :128] - 63.5))
    half = image[radius < 0.75 * 1.2 / 0.262].sum() / image.sum()
    assert half > 0.5


def test_sdss_sees_nearer_galaxies_more_coarsely():
    settings = StampSettings("sdss", ("g", "r", "i"), 0.25, 64, seed=1)
    rows = [StampMaker(settings).make(row, "field").row for row in range(40)]
    assert np.median([one["redshift_true"] for one in rows]) < 0.2
    assert {one["survey"] for one in rows} == {"sdss-sim"}


def test_a_colour_picture_has_256_values_and_keeps_hue_in_bright_cores():
    y, x = np.mgrid[:32, :32] - 16
    core = np.exp(-(x**2 + y**2) / 20)
    flux = np.stack([core, 3 * core, 6 * core]) * 40
    picture = sky_server_colour(flux, 0.4)
    assert picture.min() >= 0
    assert picture.max() <= 1
    np.testing.assert_allclose(picture * 255, np.round(picture * 255), atol=1e-4)
    blue, _, red = picture[:, 16, 16]
    assert red > blue + 0.2


def test_dust_dims_the_light_and_is_undone_but_for_the_maps_error(quiet):
    dusty = StampMaker(replace(quiet.settings, dust=True))
    for row in range(3):
        clear, seen = quiet.make(row, "field"), dusty.make(row, "field")
        missed = seen.row["ebv_true"] - seen.row["ebv"]
        assert missed != 0
        ratio = seen.flux.sum(axis=(1, 2)) / clear.flux.sum(axis=(1, 2))
        expected = 10 ** (-0.4 * np.array([3.214, 2.165, 1.211]) * missed)
        np.testing.assert_allclose(ratio, expected, rtol=1e-4)
        assert {k: v for k, v in seen.row.items() if "ebv" not in k} == clear.row


def test_dust_is_that_of_the_sky_away_from_the_milky_way():
    rng = np.random.default_rng(0)
    true, mapped = np.array([draw_dust(rng) for _ in range(4000)]).T
    assert np.median(true) == pytest.approx(0.04, rel=0.1)
    assert true.max() <= 0.5
    much = true > 0.05
    assert (mapped[much] / true[much]).std() == pytest.approx(0.17, abs=0.02)
    assert mapped.min() >= 0
