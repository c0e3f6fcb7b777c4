"""Shapes and colours of populations."""

from dashboard.backend.populations import colour_of, marker_of


def test_marks_differ_in_shape_as_well_as_in_colour():
    rare = ["green_pea", "red_spiral", "merger", "ring", "lens"]
    marks = [marker_of(name, rare) for name in rare]
    assert len({mark.shape for mark in marks}) == len(rare)
    assert len({mark.dark for mark in marks}) == len(rare)
    assert marks[0].shape == "circle"
    assert marks[1].shape == "diamond"


def test_a_colour_stays_when_others_come_and_go():
    assert colour_of("green_pea", ["green_pea"], dark=True) == colour_of(
        "green_pea", ["field", "red_spiral", "green_pea"], dark=True
    )


def test_many_populations_have_marks_of_their_own_on_either_ground():
    """As SDSS's Starburst, Seyfert and ten more; colour alone tells twelve, with shape forty."""
    names = [f"kind {place}" for place in range(40)]
    marks = [marker_of(name, names) for name in names]
    for dark in (True, False):
        assert len({colour_of(name, names, dark=dark) for name in names[:12]}) == 12
    assert len({(mark.shape, mark.dark) for mark in marks}) == len(names)
    assert {(mark.dark, mark.light) for mark in marks}.isdisjoint(
        {(mark.dark, mark.light) for mark in map(marker_of, ("green_pea", "red_spiral"), ([], []))}
    )
