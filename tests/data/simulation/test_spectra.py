import numpy as np
import pytest

from data.simulation.spectra import (
    AB_NANOMAGGY,
    C_ANGSTROM,
    LINES,
    PARSEC,
    SedGrid,
    calzetti,
    kcorrect_folder,
    line_luminosities,
    luminosity_distance,
    read_response,
    read_templates,
)

BANDS = ("decam_g", "decam_r", "decam_z")
NAMES = list(LINES)


@pytest.fixture(scope="module")
def grid():
    return SedGrid(BANDS)


def lines_of(log_sfr, ebv=0.0, oiii=0.5):
    one = np.atleast_1d
    return line_luminosities(one(log_sfr), one(oiii), one(-0.5), one(ebv))


def test_a_source_of_ab_magnitude_zero_point_has_one_nanomaggy_in_every_band(grid):
    wave = np.linspace(3000, 12000, 9000)
    flat = AB_NANOMAGGY * C_ANGSTROM / wave**2
    np.testing.assert_allclose(grid.spectrum(wave, flat), 1.0, rtol=1e-3)


@pytest.mark.parametrize("redshift", [0.05, 0.3333, 0.9])
def test_tabulated_fluxes_are_those_of_the_redshifted_spectrum(grid, redshift):
    templates = read_templates()
    mixture = np.array([0.1, 1e-3, 0.2, 0.6, 0.1])
    ebv = 0.137
    rest = mixture @ templates.flux * 10 ** (-0.4 * ebv * calzetti(templates.wave))
    direct = grid.spectrum(templates.wave * (1 + redshift), rest / (1 + redshift))
    table = grid.continuum(mixture[None], np.array([redshift]), np.array([ebv]))[0]
    np.testing.assert_allclose(table, direct, rtol=5e-3)


def test_a_line_counts_as_much_as_a_bump_in_a_spectrum(grid):
    redshift = np.array([0.27])
    power = np.zeros((1, len(NAMES)))
    power[0, NAMES.index("[O III] 5007")] = 1e42
    wave = np.linspace(3000, 11_000, 40_000)
    centre = LINES["[O III] 5007"] * 1.27
    flux = 1e42 / (4 * np.pi * (luminosity_distance(0.27) * PARSEC) ** 2)
    bump = flux * np.exp(-((wave - centre) ** 2) / 2 / 5**2) / 5 / np.sqrt(2 * np.pi)
    direct = grid.spectrum(wave, bump)
    np.testing.assert_allclose(grid.lines(power, redshift)[0], direct, atol=1e-3 * direct.max())
    assert direct.argmax() == BANDS.index("decam_r")


def test_templates_lose_their_lines_and_keep_their_continuum():
    templates = read_templates()
    near = np.abs(templates.wave - 6564) < 60
    peak = templates.flux[:, near].max(1) / np.median(templates.flux[:, near], axis=1)
    assert (peak < 1.15).all()
    assert templates.lined[2, near].max() > 2 * templates.flux[2, near].max()
    ratio = templates.flux.sum(1) / templates.lined.sum(1)
    assert (ratio > 0.85).all()
    assert (ratio < 1.02).all()


def test_ten_times_the_stars_have_ten_times_the_h_alpha():
    halpha = NAMES.index("H-alpha")
    faint, bright = lines_of([0.0, 1.0], [0.0, 0.0], [0.5, 0.5])[:, halpha]
    assert np.log10(faint) == pytest.approx(41.27)
    assert bright / faint == pytest.approx(10)


def test_dust_dims_blue_lines_more():
    clear, dusty = lines_of(1.0)[0], lines_of(1.0, ebv=0.5)[0]
    dimming = (dusty / clear)[[NAMES.index("[O II]"), NAMES.index("H-alpha")]]
    assert dimming[0] < dimming[1] < 1


def test_calzetti_has_its_ratio_at_v_and_falls_with_wavelength():
    assert calzetti(np.array([5500.0]))[0] == pytest.approx(4.05, abs=0.05)
    assert (np.diff(calzetti(np.linspace(1300, 20_000, 500))) < 0).all()


def test_dust_reddens_and_redshift_reddens_old_stars(grid):
    old = np.tile(np.eye(5)[3], (3, 1))
    flux = grid.continuum(old, np.array([0.05, 0.05, 0.35]), np.array([0.0, 0.4, 0.0]))
    colour = 2.5 * np.log10(flux[:, 1] / flux[:, 0])
    assert colour[1] > colour[0] + 0.2
    assert colour[2] > colour[0] + 0.5


@pytest.mark.parametrize("name", [*BANDS, "sdss_u0", "sdss_i0"])
def test_response_curves_rise_in_wavelength_and_let_light_through(name):
    wave, response = read_response(name)
    assert (np.diff(wave) > 0).all()
    assert response.max() > 0.05


def test_without_kcorrect_a_command_says_which_extra_to_install(monkeypatch):
    from pcvae.script import run

    monkeypatch.setattr("data.simulation.spectra.find_spec", lambda _: None)
    with pytest.raises(SystemExit, match=r"this needs kcorrect: pip install -e '\.\[simulate\]'"):
        run(kcorrect_folder)
