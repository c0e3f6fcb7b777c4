import numpy as np
import pytest

from data.simulation.population_models import GALAXIES, Universe
from data.simulation.scaling_relations import log_radius, main_sequence, quenched_fraction
from data.simulation.sdss_templates import read_donors
from data.simulation.survey import SURVEYS
from pcvae.errors import SettingsError


@pytest.fixture(scope="module")
def universe():
    return Universe(SURVEYS["decals"], ("g", "r", "z"))


def draw(universe, population, count):
    drawn = [universe.draw(population, np.random.default_rng([5, i])) for i in range(count)]
    names = ("redshift", "log_mass", "log_sfr", "quenched", "log_r50", "axis_ratio")
    facts = {name: np.array([getattr(one, name)[0] for one, _ in drawn]) for name in names}
    total = np.array([fluxes.total[0] for _, fluxes in drawn])
    lines = np.array([fluxes.lines[0] for _, fluxes in drawn])
    return facts | {"magnitude": 22.5 - 2.5 * np.log10(total), "lines": lines / total}


@pytest.fixture(scope="module")
def drawn(universe):
    return {name: draw(universe, name, 200) for name in GALAXIES}


def colours(one):
    g, r, z = one["magnitude"].T
    return g - r, r - z


def test_the_main_sequence_has_its_published_values():
    np.testing.assert_allclose(main_sequence(np.array([10.5]), np.array([0.0])), 0.06, atol=0.02)
    slope = main_sequence(np.array([11.0, 10.0]), np.array([0.0, 0.0]))
    assert slope[0] - slope[1] == pytest.approx(0.84 - 0.026 * 13.8, abs=0.01)
    assert main_sequence(10.0, 0.8) > main_sequence(10.0, 0.1)


def test_massive_galaxies_are_quenched_and_fewer_were_in_the_past():
    now = quenched_fraction(np.array([9.0, 11.2]), 0.0)
    assert now[0] < 0.4
    assert now[1] > 0.7
    assert (quenched_fraction(np.array([9.0, 11.2]), 0.8) < now).all()


def test_sizes_follow_mass_redshift_and_type():
    mass = np.full(2, np.log10(5e10))
    late, early = 10 ** log_radius(mass, np.zeros(2), np.array([False, True]))
    assert late == pytest.approx(8.9)
    assert early == pytest.approx(5.6)
    far = 10 ** log_radius(mass, np.ones(2), np.array([False, True]))
    np.testing.assert_allclose(far, [8.9 * 2**-0.75, 5.6 * 2**-1.48])


def test_bluer_donors_form_more_stars():
    donors = read_donors()
    massive = np.abs(donors.log_mass - 10.8) < 0.2
    old = donors.mixture[massive][:, 3]
    forming = donors.log_ssfr[massive] > -10.8
    assert old[~forming].mean() > old[forming].mean() + 0.1


def test_field_galaxies_fill_the_survey_to_its_limit(drawn):
    field = drawn["field"]
    limit = max(limit for limit, _ in SURVEYS["decals"].limits)
    assert field["magnitude"][:, 1].max() < limit
    assert 0.2 < np.median(field["redshift"]) < 0.4
    assert field["redshift"].max() <= 1.0
    assert 0.25 < field["quenched"].mean() < 0.65


def test_star_forming_galaxies_lie_on_the_main_sequence(drawn):
    field = drawn["field"]
    excess = field["log_sfr"] - main_sequence(field["log_mass"], field["redshift"])
    forming = ~field["quenched"]
    assert np.median(excess[forming]) == pytest.approx(0, abs=0.1)
    assert np.median(excess[~forming]) < -1


def test_green_peas_are_compact_distant_enough_and_bright_in_r(drawn):
    peas = drawn["green_pea"]
    assert (10 ** peas["log_r50"] <= 5).all()
    assert (peas["redshift"] > 0.11).all()
    assert (peas["redshift"] < 0.36).all()
    assert np.median(peas["log_mass"]) == pytest.approx(9.5, abs=0.15)
    assert np.median(10 ** peas["log_sfr"]) == pytest.approx(10, rel=0.3)
    g_r, r_z = colours(peas)
    assert np.median(r_z) < -0.1
    assert np.median(g_r - r_z) > 0.3


def test_the_stronger_its_lines_the_greener_a_pea(drawn):
    peas = drawn["green_pea"]
    within = (peas["redshift"] > 0.16) & (peas["redshift"] < 0.34)
    g_r, r_z = colours(peas)
    share = peas["lines"][within, 1]
    greenness = (g_r - r_z)[within]
    assert np.corrcoef(share, greenness)[0, 1] > 0.6


def test_red_spirals_are_red_face_on_nearby_and_massive(drawn):
    spirals = drawn["red_spiral"]
    assert (spirals["axis_ratio"] > 0.6).all()
    assert (spirals["redshift"] > 0.03).all()
    assert (spirals["redshift"] < 0.085).all()
    assert (spirals["log_mass"] > 10).all()
    assert np.median(spirals["log_sfr"] - spirals["log_mass"]) < -11
    assert np.median(colours(spirals)[0]) > 0.7


@pytest.mark.parametrize(
    ("rare", "like"), [("green_pea", "blue_compact"), ("red_spiral", "dusty_spiral")]
)
def test_a_hard_negative_overlaps_in_colour_with_what_it_resembles(drawn, rare, like):
    low, high = np.quantile(colours(drawn[rare])[0], [0.05, 0.95])
    g_r = colours(drawn[like])[0]
    assert ((g_r > low) & (g_r < high)).mean() > 0.1


def test_unknown_bands_are_named_with_the_known_ones():
    with pytest.raises(SettingsError, match=r"out of g r i z .* found g y"):
        Universe(SURVEYS["decals"], ("g", "y"))
