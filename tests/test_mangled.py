"""Metadata that somebody edited, cut or copied wrongly is answered by one of our errors."""

import copy
import json
import shutil

import pandas as pd
import pytest

from dashboard.app import Explorer, open_datastore
from pcvae.checkpoint import read_run, read_state, run_folder
from pcvae.cutouts import SampleWriter, read_sample
from pcvae.errors import PcvaeError, RunError, SampleError, StoreError
from pcvae.store import read_store
from tests.pcvae.test_cutouts import INFO, fill
from tests.test_earlier_version import MADE

VALUES = (None, True, -1, 0, 10**400, 1e308, "text", [], [[]], {}, {"a": 1}, [None], ["g"] * 9)
OTHER_TEXTS = {
    "empty": b"",
    "zeros": bytes(99),
    "nested lists": b"[" * 100_000,
    "nested keys": b'{"version":' * 100_000,
    "UTF-16": json.dumps({"version": 1}).encode("utf-16"),
    "Latin-1": '{"version": 1, "name": "é"}'.encode("latin-1"),
    "with a BOM": b"\xef\xbb\xbf{}",
    "a list": b"[1]",
    "a digit": b"1",
    "long version": json.dumps({"version": "9" * 5000}).encode(),
}


def places(facts, at=()):
    """The keys that lead to each value in some facts."""
    items = facts.items() if isinstance(facts, dict) else enumerate(facts)
    for key, value in items:
        yield (*at, key)
        if isinstance(value, dict | list) and len(at) < 3:
            yield from places(value, (*at, key))


def mangled(text):
    """The text of a JSON file in each of the ways in which it can be wrong."""
    yield from OTHER_TEXTS.values()
    yield from (text[: len(text) * part // 8] for part in range(1, 8))
    for *before, last in places(json.loads(text)):
        for value in ("absent", *VALUES):
            facts = copy.deepcopy(json.loads(text))
            inner = facts
            for key in before:
                inner = inner[key]
            if value == "absent":
                del inner[last]
            else:
                inner[last] = value
            yield json.dumps(facts).encode()


def read_and_use_store(folder):
    """What the page does first with a store."""
    store = read_store(folder)
    for model in store.info.models:
        store.values(model.name)
        store.latents(model.name)
    return store


def tried(path, read, every=1):
    """How many mangled files there were, and what was said of those that are not read."""
    text, said, count = path.read_bytes(), [], 0
    for content in list(mangled(text))[::every]:
        path.write_bytes(content)
        count += 1
        try:
            read(path.parent)
        except PcvaeError as error:
            said.append(str(error))
    path.write_bytes(text)
    read(path.parent)
    return count, said


@pytest.fixture
def made(tmp_path):
    """A sample, a run and a store."""
    fill(SampleWriter(tmp_path / "sample", INFO, 3, {}))
    shutil.copytree(run_folder("decals"), tmp_path / "run")
    shutil.copytree(MADE / "store", tmp_path / "store")
    shutil.copytree(
        tmp_path / "run", tmp_path / "store" / "models" / "physics", dirs_exist_ok=True
    )
    return tmp_path


@pytest.mark.parametrize(
    ("name", "read", "every"),
    [
        ("sample/sample.json", read_sample, 1),
        ("run/run.json", read_run, 20),
        ("run/stretch.json", read_run, 2),
        ("store/store.json", read_and_use_store, 2),
    ],
)
def test_mangled_metadata_is_answered_in_words(made, name, read, every):
    count, said = tried(made / name, read, every)
    assert count >= 100
    assert len(said) > count / 2
    for words in said:
        assert "\n" not in words
        assert len(words) < 1000, words
        assert "python -m " in words


def test_a_store_without_its_rare_populations_is_refused_by_name(made):
    path = made / "store" / "store.json"
    facts = json.loads(path.read_text())
    del facts["rare"]
    path.write_text(json.dumps(facts))
    with pytest.raises(StoreError, match=r"store\.json is not what .*missing.*`rare`.*train\.enc"):
        open_datastore(made / "store")


@pytest.mark.parametrize("gone", ["zarr.json", "c/0/0/0/0", ""])
def test_a_store_whose_stamps_are_gone_names_the_command(made, gone):
    path = made / "store" / "stamps.zarr" / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(StoreError, match=r"not whole: .*Make it again with: .*train\.encode"):
        open_datastore(made / "store")


def test_a_run_without_its_split_names_the_command(made):
    (made / "run" / "split.parquet").unlink()
    with pytest.raises(RunError, match=r"split\.parquet cannot be read.*Train again"):
        read_run(made / "run").split(pd.Series(["a"]))


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [("models", [], "names no model"), ("bands", [], "names no bands")],
)
def test_a_store_of_which_no_page_can_be_made_says_what_it_lacks(made, key, value, words):
    path = made / "store" / "store.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(StoreError, match=words):
        open_datastore(made / "store")


def test_a_whole_store_makes_a_page(made):
    assert Explorer(open_datastore(made / "store")).title


@pytest.mark.parametrize("content", [b"", b"PK", bytes(999), b"\x80\x02}q\x00."])
def test_a_broken_state_of_a_training_is_refused(tmp_path, content):
    (tmp_path / "last.ckpt").write_bytes(content)
    with pytest.raises(RunError, match=r"last\.ckpt cannot be read.*--overwrite"):
        read_state(tmp_path)


def test_tables_without_their_columns_are_refused(made):
    path = made / "store" / "latents" / "physics.parquet"
    pd.read_parquet(path).drop(columns="redshift").to_parquet(path)
    with pytest.raises(StoreError, match="lack the column 'redshift'"):
        open_datastore(made / "store")
    path = made / "sample" / "catalog.parquet"
    pd.read_parquet(path).drop(columns="population").to_parquet(path)
    with pytest.raises(SampleError, match="expected a column 'population'"):
        read_sample(made / "sample")
