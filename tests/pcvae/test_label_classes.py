"""People's labels become populations by one rule, and a journal that is none is refused."""

import argparse
from pathlib import Path

import pytest

from pcvae.anomaly import UNUSED
from pcvae.errors import JournalError, RunError
from pcvae.journal import Journal, journal_path
from pcvae.label_classes import labelled, read_labels

IDS = ["a", "b", "c", "d", "e", "f"]
POPULATIONS = ["spiral", "spiral", "spiral", "spiral", "pea", "pea"]


@pytest.fixture
def store(tmp_path):
    """A folder with a journal beside it."""
    folder = tmp_path / "store"
    folder.mkdir()
    journal = Journal(journal_path(folder), user="ana")
    for galaxy, label in zip(IDS, ["ring", "5", "2", "artefact", "normal", "5"], strict=True):
        journal.tag(galaxy, label)
    journal.tag("elsewhere", "ring")
    yield folder, journal
    journal.close()


def populations(folder):
    return labelled(IDS, POPULATIONS, ("pea",), read_labels(str(folder)))


def test_names_are_rare_and_scores_mean_what_they_do_in_the_dashboard(store):
    found = populations(store[0])
    assert found.populations == ["ring", "candidate", UNUSED, "spiral", "normal", "pea"]
    assert found.rare == ("pea", "candidate", "ring")
    assert "1 are not in the sample" in found.message


def test_undone_labels_do_not_count_and_the_last_word_does(store):
    folder, journal = store
    journal.untag("a")
    journal.tag("b", "ring", user="ben")
    found = populations(journal_path(folder))
    assert found.populations[:2] == ["spiral", "ring"]
    assert "on 1 people differ" in found.message


def test_what_is_no_journal_is_refused_and_not_made(tmp_path):
    (tmp_path / "text.sqlite").write_text("no database " * 100)
    Journal(tmp_path / "empty.sqlite").close()
    for name, words in {
        "none.sqlite": "found no file",
        "text.sqlite": "cannot open the journal",
        "empty.sqlite": "found none",
    }.items():
        with pytest.raises(JournalError, match=words):
            read_labels(str(tmp_path / name))
    assert not (tmp_path / "none.sqlite").exists()


def test_a_training_holds_labelled_galaxies_out(sample, store):
    from train.resumption import labelled_sample

    galaxy = sample.catalog["id"].iloc[0]
    store[1].tag(galaxy, "odd_ring")
    args = argparse.Namespace(labels=str(store[0]), resume=False, run=Path("run"))
    changed = labelled_sample(args, sample)
    assert changed.catalog["population"].iloc[0] == "odd_ring"
    assert "odd_ring" in changed.info.held_out
    args.resume = True
    store[1].tag(sample.catalog["id"].iloc[1], "odd_ring")
    with pytest.raises(RunError, match="changed since"):
        labelled_sample(args, sample)
