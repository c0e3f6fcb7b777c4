import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pcvae.labels import LABELS, angle_difference, label, wrap_angle

angles = st.floats(-100, 100)


@given(angles)
def test_a_wrapped_angle_lies_in_the_half_open_half_turn(phi):
    wrapped = float(wrap_angle(phi))
    assert -np.pi / 2 < wrapped <= np.pi / 2


@given(angles, st.integers(-5, 5))
def test_half_turns_do_not_change_an_orientation(phi, turns):
    assert abs(angle_difference(phi + turns * np.pi, phi)) < 1e-9


@given(angles, angles)
def test_two_orientations_are_never_more_than_a_quarter_turn_apart(a, b):
    assert abs(angle_difference(a, b)) <= np.pi / 2 + 1e-12


def test_an_unknown_angle_stays_unknown():
    assert np.isnan(wrap_angle(np.nan))


def test_a_label_is_found_by_its_name():
    assert [label(one.name) for one in LABELS] == list(LABELS)
    assert label("log_mass").error == "log_mass_err"
    assert label("log_mass").axis == "log stellar mass [dex(Msun)]"
    assert label("redshift").axis == "Redshift"


def test_an_unknown_label_lists_those_there_are():
    with pytest.raises(KeyError, match="orientation, redshift, log_mass, log_sfr"):
        label("colour")


def test_every_label_has_an_error_that_cannot_weigh_infinitely():
    assert all(0 < one.sigma_floor <= one.sigma_missing for one in LABELS)
