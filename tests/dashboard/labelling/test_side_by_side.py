"""A name and a score stand side by side, each class has a key, and who differs is listed."""

import pytest

from dashboard.export.tables import labelled, list_table
from dashboard.labelling.label_keys import keys_of
from dashboard.labelling.labels import label_all, own_label, set_label, write_note
from tests.dashboard.explorers import begin


@pytest.fixture
def ana(store, tmp_path):
    return begin(store, tmp_path / "journal.sqlite")


def press(session, *keys):
    for key in keys:
        session.keys._handle_msg({"key": key})


def said(session):
    return {
        event.galaxy: (event.label, event.score) for event in session.datastore.label_table.active
    }


def test_a_score_and_a_name_stand_side_by_side_and_each_is_taken_back_alone(ana):
    ana.state.row = 7
    press(ana, "4", "m")
    assert said(ana) == {"g0007": ("merger", "4")}
    assert (ana.card.judge.bar.label, ana.card.judge.bar.score) == ("merger", "4")
    assert "Merger, score 4" in ana.card.judge.bar.said
    press(ana, "2")
    assert said(ana) == {"g0007": ("merger", "2")}
    press(ana, "m")
    assert said(ana) == {"g0007": ("2", "")}
    press(ana, "u")
    assert said(ana) == {"g0007": ("merger", "2")}
    press(ana, "2")
    assert said(ana) == {"g0007": ("merger", "")}
    press(ana, "m")
    assert said(ana) == {}


def test_what_is_beside_a_label_outlives_a_note_and_a_label_of_all(ana):
    set_label(ana.datastore, ana.state, "4", 5)
    write_note(ana.datastore, ana.state, "two nuclei", 5)
    label_all(ana.datastore, ana.state, "merger", [5, 6])
    assert said(ana) == {"g0005": ("merger", "4"), "g0006": ("merger", "")}
    assert own_label(ana.datastore, 5).note == "two nuclei"
    table = labelled(ana.datastore, "physics").to_pandas().set_index("id")
    assert table.loc["g0005", ["label", "score"]].tolist() == ["merger", "4"]
    set_label(ana.datastore, ana.state, "3", 6)
    set_label(ana.datastore, ana.state, "3", 7)
    table = labelled(ana.datastore, "physics").to_pandas().set_index("id")
    assert table["score"].to_dict() == {"g0005": "4", "g0006": "3", "g0007": "3"}


def test_a_kept_removal_takes_back_only_what_it_names(ana):
    set_label(ana.datastore, ana.state, "merger", 5)
    set_label(ana.datastore, ana.state, "4", 5)
    keeper = ana.labels.keeper
    keeper._handle_msg({"id": "a", "galaxy": "g0005", "act": "remove", "value": "4"})
    keeper._handle_msg({"id": "b", "galaxy": "g0005", "act": "remove", "value": "lens"})
    assert said(ana) == {"g0005": ("merger", "")}
    assert keeper.acknowledged == ["a", "b"]


def test_each_class_has_a_key_that_stays_when_others_come(ana):
    keys = ana.labels.keeper.labels
    assert set(map(str, range(6))) < set(keys)
    ana.state.row = 7
    press(ana, "g")
    assert said(ana) == {"g0007": ("green_pea", "")}
    set_label(ana.datastore, ana.state, "lens", 8)
    set_label(ana.datastore, ana.state, "lump", 9)
    now = ana.labels.keeper.labels
    assert keys.items() < now.items()
    assert (now["l"], now["p"]) == ("lens", "lump")
    press(ana, "l")
    assert said(ana)["g0007"] == ("lens", "")
    assert "<td>Label it Lens, or take that back</td>" in ana.help.keys_pane.object
    titles = {entry["name"]: entry["key"] for entry in ana.card.judge.bar.names}
    assert titles["merger"] == "m"
    assert titles["lens"] == "l"


def test_very_many_classes_have_no_more_keys_than_there_are_letters():
    keys = keys_of([f"kind {place}" for place in range(40)])
    assert len(set(keys.values())) == len(keys) < 26
    assert not set("ruvznxc") & set(keys.values())


def test_the_next_unlabelled_of_the_list_is_gone_to(ana):
    ana.state.param.update(row=3, tab="neighbours")
    listed = ana.state.selection.listed.rows.tolist()
    press(ana, "x")
    assert ana.state.row == listed[0]
    press(ana, "m", "x")
    assert ana.state.row == listed[1]
    assert ana.state.selection.listed.rows.tolist() == listed
    set_label(ana.datastore, ana.state, "4", listed[2])
    write_note(ana.datastore, ana.state, "look again", listed[3])
    press(ana, "x")
    assert ana.state.row == listed[3]
    label_all(ana.datastore, ana.state, "merger", listed[3:])
    press(ana, "x")
    assert ana.state.row == listed[1]
    press(ana, "1", "x")
    assert "You have labelled all 10 galaxies of this list." in ana.card.trouble.object
    ana.state.tab = "sky"
    press(ana, "x")
    assert "lists no galaxies" in ana.card.trouble.object


def test_galaxies_on_which_people_differ_are_a_list(ana, store, tmp_path):
    ben = begin(store, tmp_path / "journal.sqlite", "ben")
    ana.state.param.update(tab="labels", differing=True)
    strip = ana.tabs["labels"].strip
    assert strip.empty.startswith("No labels yet")
    for session, labels in ((ana, {5: "merger", 6: "4", 7: "lens"}), (ben, {5: "4", 6: "2"})):
        for row, label in labels.items():
            set_label(session.datastore, session.state, label, row)
    set_label(ben.datastore, ben.state, "artefact", 5)
    ana.refresh()
    assert [item["row"] for item in strip.items] == [6, 5]
    assert strip.items[1]["lines"] == ["ana: Merger", "ben: Artefact, score 4"]
    assert "2 galaxies of which people differ" in ana.tabs["labels"].note.object
    ana.list_bar.select_all()
    assert ana.state.selection.selected.sum() == 2
    table = list_table(ana.datastore, "physics", ana.state.shown_list).to_pandas()
    assert table["said"].tolist() == ["ana: 4; ben: 2", "ana: merger; ben: artefact + 4"]
    ana.state.label = "merger"
    assert [item["row"] for item in strip.items] == [5]
    ana.state.label = "lens"
    assert strip.empty.startswith("Nobody differs")
