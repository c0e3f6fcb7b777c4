"""The strip of nearest neighbours."""

import holoviews as hv

hv.extension("bokeh")


def test_neighbours_are_the_ten_nearest_and_a_click_picks_one(many):
    many.state.row = 3
    nearest = many.tabs["neighbours"].strip
    rows, distances = many.datastore.neighbours.index("physics").result().query(3, 10)
    assert [item["row"] for item in nearest.items] == list(rows)
    assert nearest.items[0]["caption"] == f"distance {distances[0]:.2f}"
    nearest._handle_msg({"pick": int(rows[4])})
    assert many.state.row == rows[4]


def test_a_strip_obeys_only_for_galaxies_that_it_shows(many):
    many.state.row = 3
    many.tabs["neighbours"].strip._handle_msg({"pick": 3})
    many.tabs["neighbours"].strip._handle_msg({"pick": 10**9})
    many.tabs["neighbours"].strip._handle_msg({"pick": None})
    assert many.state.row == 3


def test_a_click_that_comes_as_the_strip_changes_still_picks(many):
    many.state.row = 3
    strip = many.tabs["neighbours"].strip
    hit = strip.items[-1]["row"]
    many.state.row = next(row for row in range(60) if row not in {i["row"] for i in strip.items})
    assert hit not in {item["row"] for item in strip.items}
    strip._handle_msg({"pick": hit})
    assert many.state.row == hit


def test_neighbours_do_not_depend_on_the_orientation(many):
    info = many.datastore.store.model("physics")
    assert "e_cos" in info.names
    assert many.datastore.neighbours.index("physics").result().axes == len(info.names) - 2
