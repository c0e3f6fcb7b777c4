"""The enlarged galaxy, without a browser."""

from concurrent.futures import wait

from dashboard.backend.stamp_images import data_uri, in_band


def opened(session, **message):
    wait([session.datastore.model_jobs.codec(session.state.model)])
    session.viewer.dialog._handle_msg({"open": True, **message})
    return session.viewer.dialog


def test_the_double_clicked_galaxy_is_enlarged_and_its_list_is_walked_along(many):
    dialog = opened(many, row=7, rows=[3, 7, 11, "x", 4000])
    assert dialog.opened
    assert dialog.title.startswith(str(many.datastore.ids[7]))
    assert dialog.pictures["image"] == data_uri(many.datastore.stamp(7))
    dialog._handle_msg({"step": 1})
    assert many.state.row == 11
    assert dialog.pictures["image"] == data_uri(many.datastore.stamp(11))
    dialog._handle_msg({"step": 1})
    assert many.state.row == 11  # the last one
    dialog._handle_msg({"step": -1})
    dialog._handle_msg({"step": -1})
    assert many.state.row == 3
    dialog._handle_msg({"close": True})
    assert not dialog.opened


def test_from_the_card_it_walks_along_the_shown_tab(many):
    many.start()
    many.state.tab = "selection"
    many.state.selection.selected = many.datastore.populations.names[:] == "green_pea"
    dialog = opened(many)
    many.state.row = int(many.tabs["selection"].listing.rows[0])
    dialog._handle_msg({"step": 1})
    assert many.state.row == many.tabs["selection"].listing.rows[1]


def test_a_band_is_shown_alone_and_nonsense_is_ignored(many):
    dialog = opened(many, row=2)
    dialog._handle_msg({"band": "r"})
    assert many.state.band == "r"
    assert dialog.pictures["image"] == data_uri(in_band(many.datastore.stamp(2), 1))
    for message in ({"open": True, "row": 10**9}, {"band": "?"}, {"step": 5}):
        dialog._handle_msg(message)
    assert (many.state.row, many.state.band) == (2, "r")


def test_no_galaxy_and_no_network_are_said_in_words(many, monkeypatch):
    many.state.row = None
    assert "Pick a galaxy" in opened(many).words
    monkeypatch.setattr("dashboard.gallery.viewer.has_network", lambda *_: False)
    dialog = opened(many, row=1)
    assert set(dialog.pictures) == {"image"}
    assert "network" in dialog.words or "run" in dialog.words
    assert "v" in many.keys.keys
