import os
from pathlib import Path

import galsim
import numpy as np
import pandas as pd
import pytest

from data import orientation
from pcvae.cutouts import SampleInfo, SampleWriter, read_sample
from pcvae.errors import ShapeError
from pcvae.labels import angle_difference
from pcvae.orientation import (
    BLENDED,
    EDGE,
    NOT_FOUND,
    PAPER_BOX,
    ROUND,
    describe_flag,
    measure,
    measure_block,
)
from tests.real import needs_real_data

BANDS = ("g", "r", "z")
SCALE = 0.262  # arcsec
NOISE = (0.0056, 0.010, 0.024)  # nanomaggy a pixel: DECaLS
SEEING = (1.3, 1.2, 1.1)  # arcsec
COLOUR = (0.5, 1.0, 1.6)  # flux over that in r


def disc(flux, radius, cos_inclination, angle):
    """An inclined exponential of half-light radius [arcsec], major axis at ``angle`` [rad]."""
    tilted = galsim.InclinedExponential(
        np.arccos(cos_inclination) * galsim.radians, half_light_radius=radius, scale_h_over_r=0.1
    )
    return flux * tilted.rotate(angle * galsim.radians)


def picture(rng, profile, size=128, noise=1.0):
    """The stamp (C, S, S) of a profile, with the sky's noise."""
    planes = []
    for colour, seeing, sigma in zip(COLOUR, SEEING, NOISE, strict=True):
        seen = galsim.Convolve(colour * profile, galsim.Moffat(3.5, fwhm=seeing))
        image = seen.drawImage(nx=size, ny=size, scale=SCALE).array
        planes.append(image + noise * sigma * rng.standard_normal(image.shape))
    return np.array(planes, np.float32)


def neighbours(rng, count):
    """Small galaxies away from the middle."""
    some = []
    while len(some) < count:
        x, y = rng.uniform(-15, 15, 2)
        if np.hypot(x, y) > 6:
            one = disc(10 ** rng.uniform(-0.2, 1.2), 0.6, rng.uniform(0.3, 0.9), rng.uniform(0, 3))
            some.append(one.shift(x, y))
    return galsim.Add(some)


@pytest.fixture(scope="module")
def truth():
    rng = np.random.default_rng(0)
    n = 60
    return pd.DataFrame(
        {
            "flux": 10 ** rng.uniform(1.0, 2.2, n),
            "radius": rng.uniform(1.2, 3.5, n),
            "cos_inclination": rng.uniform(0.2, 0.65, n),
            "angle": rng.uniform(-np.pi / 2, np.pi / 2, n),
        }
    )


@pytest.fixture(scope="module")
def stamps(truth):
    rng = np.random.default_rng(1)
    profiles = [disc(**row) + neighbours(rng, 4) for row in truth.to_dict("records")]
    return np.array([picture(rng, profile) for profile in profiles])


@pytest.fixture(scope="module")
def measured(stamps):
    return measure_block(stamps, BANDS)


def test_the_angle_is_right_among_neighbours(truth, measured):
    error = np.rad2deg(np.abs(angle_difference(measured["orientation"], truth["angle"])))
    assert np.nanmedian(error) < 1.5
    assert np.mean(~(error < 10)) <= 0.05


def test_the_angle_is_right_with_the_background_of_the_paper(truth, stamps):
    angles = measure_block(stamps[:30], BANDS, box=PAPER_BOX)["orientation"]
    error = np.rad2deg(np.abs(angle_difference(angles, truth["angle"][:30])))
    assert np.nanmedian(error) < 3


def test_errors_of_the_angle_are_neither_boasts_nor_excuses(truth, measured):
    pull = angle_difference(measured["orientation"], truth["angle"]) / measured["orientation_err"]
    assert np.nanpercentile(np.abs(pull), 95) < 3
    assert measured["orientation_err"].median() < 0.1


def test_fluxes_and_sizes_are_those_that_were_painted(truth, measured):
    clear = measured["orientation_flag"] == 0
    for band, colour in zip(BANDS, COLOUR, strict=True):
        ratio = measured[f"flux_{band}"] / (truth["flux"] * colour)
        assert ratio[clear].median() == pytest.approx(0.97, abs=0.04)


def test_colours_are_right_to_three_hundredths(truth, measured):
    for band, colour in zip("gz", (0.5, 1.6), strict=True):
        ratio = measured[f"flux_{band}"] / measured["flux_r"] / colour
        assert ratio.median() == pytest.approx(1, abs=0.01)
        assert ratio.sub(1).abs().quantile(0.8) < 0.03


def test_the_half_light_radius_is_that_of_the_convolved_exponential():
    profile = disc(100.0, 3.0, 1.0, 0.0)
    seen = galsim.Convolve(profile, galsim.Moffat(3.5, fwhm=1.2))
    expected = seen.drawImage(nx=256, ny=256, scale=0.1).calculateHLR() / SCALE
    found = measure(picture(np.random.default_rng(2), profile), BANDS).r50
    assert found == pytest.approx(expected, rel=0.08)  # half of the Kron flux, not of all


def test_the_flux_error_is_the_scatter_of_the_flux():
    profile = disc(5.0, 1.0, 0.5, 0.3)
    rows = [
        measure(picture(np.random.default_rng(s), profile), BANDS).fluxes["r"] for s in range(30)
    ]
    fluxes, errors = np.transpose(rows)
    assert np.std(fluxes) == pytest.approx(errors.mean(), rel=0.5)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_quarter_turn_turns_the_angle_by_a_quarter(stamps, measured, turns):
    # From +x towards +y, where y is the row index.
    turned = np.rot90(stamps[:12], turns, axes=(3, 2))
    again = measure_block(turned, BANDS)
    expected = measured["orientation"][:12] + turns * np.pi / 2
    off = np.abs(angle_difference(again["orientation"], expected))
    assert np.median(off) < 0.01
    assert np.allclose(np.median(again["r50"] / measured["r50"][:12]), 1, atol=0.02)


@pytest.mark.parametrize("axis", [2, 3])
def test_a_mirror_changes_the_sign_of_the_angle(stamps, measured, axis):
    again = measure_block(np.flip(stamps[:12], axis), BANDS)
    off = np.abs(angle_difference(again["orientation"], -measured["orientation"][:12]))
    assert np.median(off) < 0.01


def test_a_block_is_its_stamps_one_by_one(stamps, measured):
    one = measure(stamps[3], BANDS)
    row = measured.iloc[3]
    assert row["orientation"] == one.orientation
    assert row["flux_z_err"] == one.fluxes["z"][1]
    assert row["orientation_flag"] == one.orientation_flag


@pytest.mark.parametrize("size", [8, 69, 128])
@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_where_nothing_is_there_everything_is_nan_and_flagged(size, noise):
    rng = np.random.default_rng(3)
    blank = (noise * 0.01 * rng.standard_normal((3, size, size))).astype(np.float32)
    found = measure(blank, BANDS)
    assert found.orientation_flag == NOT_FOUND
    assert np.isnan([found.orientation, found.orientation_err, found.axis_ratio, found.r50]).all()
    assert np.isnan(list(found.fluxes.values())).all()


def test_a_galaxy_far_from_the_middle_is_not_the_one():
    profile = disc(30.0, 1.5, 0.4, 0.5).shift(10.0, 10.0)
    found = measure(picture(np.random.default_rng(4), profile), BANDS)
    assert found.orientation_flag == NOT_FOUND


def test_the_middle_is_the_stamps_own_not_pixel_fifty():
    rng = np.random.default_rng(5)
    galaxy = disc(30.0, 1.5, 0.3, 0.4)
    other = disc(300.0, 1.5, 0.3, -1.0).shift(-13.5 * SCALE * 2, -13.5 * SCALE * 2)
    found = measure(picture(rng, galaxy + other), BANDS)
    assert abs(angle_difference(found.orientation, 0.4)) < 0.1


def test_flags_say_what_is_the_matter():
    rng = np.random.default_rng(6)
    face_on = measure(picture(rng, disc(60.0, 2.0, 1.0, 0.0)), BANDS)
    assert face_on.orientation_flag == ROUND
    wide = measure(picture(rng, disc(400.0, 3.0, 0.3, 0.0), size=48), BANDS)
    assert wide.orientation_flag & EDGE
    pair = disc(60.0, 1.5, 0.4, 0.0) + disc(60.0, 1.5, 0.4, 1.2).shift(0.0, 4.0)
    assert measure(picture(rng, pair), BANDS).orientation_flag & BLENDED
    assert describe_flag(BLENDED | EDGE) == "blended, at the edge"


def test_a_neighbour_in_front_does_not_tilt_the_galaxy():
    rng = np.random.default_rng(7)
    pair = disc(120.0, 2.5, 0.4, 0.6) + disc(15.0, 0.5, 0.8, 0.0).shift(-2.5, 3.5)
    found = measure(picture(rng, pair), BANDS)
    assert abs(angle_difference(found.orientation, 0.6)) < np.deg2rad(5)


def test_display_pixels_give_a_shape_but_no_fluxes(stamps, truth):
    stretched = np.clip(np.arcsinh(stamps[:20] / 0.05) / 8, 0, 1)
    found = measure_block(stretched, BANDS, "stretched")
    error = np.abs(angle_difference(found["orientation"], truth["angle"][:20]))
    assert np.median(error) < np.deg2rad(3)
    assert found[["r50", "flux_r", "flux_r_err"]].isna().all(axis=None)


def test_a_stamp_of_another_shape_is_refused():
    with pytest.raises(ShapeError, match=r"expected .*\(3, S, S\), found \(2, 8, 8\)"):
        measure(np.zeros((2, 8, 8), np.float32), BANDS)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_sample_is_measured_again_in_its_order(tmp_path, stamps, measured, workers):
    info = SampleInfo("again", "simulated for a test", BANDS, SCALE, 128)
    writer = SampleWriter(tmp_path / "s", info, 4, {})
    writer.write(0, stamps[:4], pd.DataFrame({"id": list("abcd"), "redshift": 0.1}))
    writer.finish()
    orientation.main([str(tmp_path / "s"), "--workers", str(workers)])
    catalog = read_sample(tmp_path / "s").catalog
    np.testing.assert_allclose(catalog["orientation"], measured["orientation"][:4], atol=1e-9)
    assert catalog["redshift"].eq(0.1).all()


@needs_real_data
def test_real_galaxies_lie_as_another_program_measured():
    folder = Path(os.environ["PCVAE_REAL_DATA"], "kids_viking")
    catalog = pd.read_csv(folder / "catalog.csv")
    stamps = np.load(folder / "images.npz")["images"]
    long = np.flatnonzero(catalog["axis_ratio"] < 0.7)
    found = measure_block(stamps[long], ("g", "r", "Z"))
    error = np.abs(angle_difference(found["orientation"], catalog["theta_rad"].iloc[long]))
    clear = found["orientation_flag"] == 0
    assert clear.sum() > 50
    assert np.median(error[clear]) < np.deg2rad(1.5)
    assert np.mean(error[clear] > np.deg2rad(10)) < 0.1
