"""Galaxies are added to a finished store."""

import numpy as np
import pandas as pd
import pytest

from pcvae.errors import SettingsError, StoreError
from pcvae.store import StoreWriter, read_store
from train import encode
from train.encoding.chosen_rows import ChosenRows
from train.encoding.outputs import size


@pytest.fixture(scope="module")
def few(make_sample, tmp_path_factory):
    """The first 50 galaxies of ``sample``."""
    return make_sample(tmp_path_factory.mktemp("few") / "example", 50)


def arguments(sample, store, runs, *options):
    given = [sample.folder, store, "--run", f"physics={runs['physics']}", "--device", "cpu"]
    return [str(word) for word in (*given, *options)]


@pytest.fixture
def begun(few, runs, tmp_path, monkeypatch):
    """A store of 50 galaxies."""
    monkeypatch.setattr(encode, "ROWS", 16)
    return encode.main(arguments(few, tmp_path / "store", runs))


def check(made, whole):
    """Its galaxies are those of a store that was made at once."""
    pd.testing.assert_frame_equal(made.galaxies["id"].to_frame(), whole.galaxies["id"].to_frame())
    pd.testing.assert_frame_equal(
        made.latents("physics"), whole.latents("physics"), rtol=1e-3, atol=1e-4
    )
    assert (np.asarray(made.stamps[:]) == np.asarray(whole.stamps[:])).all()
    assert made.galaxies["split"].tolist() == whole.galaxies["split"].tolist()


def test_galaxies_that_a_store_lacks_are_added(begun, sample, runs, store, capsys):
    made = read_store(encode.main(arguments(sample, begun, runs, "--append")))
    check(made, read_store(store))
    assert "50 of 120 galaxies are in" in capsys.readouterr().out
    assert made.info.command.count("python -m train.encode") == 2
    before = (begun / "store.json").read_bytes()
    encode.main(arguments(sample, begun, runs, "--append"))
    assert (begun / "store.json").read_bytes() == before
    assert [path.name for path in begun.parent.iterdir()] == ["store"]


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_a_killed_replacement_is_ended(begun, sample, runs, store, monkeypatch, renames):
    """Before the old store is moved away, before the new one gets its name, and after that."""

    def killed(made, folder):
        pairs = [(folder, folder.with_name("store.old")), (made, folder)]
        for source, target in pairs[:renames]:
            source.rename(target)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pcvae.store.replace_folder", killed)
        with pytest.raises(KeyboardInterrupt):
            encode.main(arguments(sample, begun, runs, "--append"))
    check(read_store(encode.main(arguments(sample, begun, runs, "--append"))), read_store(store))
    assert [path.name for path in begun.parent.iterdir()] == ["store"]


def test_a_killed_encoding_goes_on(begun, sample, runs, store, monkeypatch):
    written = []

    def write_part(writer, model, start, table, write=StoreWriter.write_part):
        written.append(start)
        if len(written) == 3:
            raise KeyboardInterrupt
        write(writer, model, start, table)

    monkeypatch.setattr(StoreWriter, "write_part", write_part)
    with pytest.raises(KeyboardInterrupt):
        encode.main(arguments(sample, begun, runs, "--append"))
    assert len(read_store(begun)) == 50
    check(read_store(encode.main(arguments(sample, begun, runs, "--append"))), read_store(store))
    assert written == [0, 14, 30, 30, 46, 62]


def test_what_does_not_belong_to_the_store_is_refused(begun, sample, runs, make_sample, tmp_path):
    given = arguments(sample, begun, runs, "--append")
    other = [word.replace("physics", "vanilla", 1) for word in given]
    with pytest.raises(SettingsError, match=r"--run for each model .*\(physics\), found vanilla"):
        encode.main([word.replace("/physics", "/vanilla") for word in other])
    with pytest.raises(SettingsError, match="encoded by another physics than"):
        encode.main([word.replace("/physics", "/vanilla") for word in given])
    with pytest.raises(SettingsError, match="found both"):
        encode.main([*given, "--overwrite"])
    with pytest.raises(SettingsError, match="with --output hats"):
        encode.main([*given, "--partition-rows", "9"])
    with pytest.raises(StoreError, match=r"expected store\.json in .*none, found none"):
        encode.main(arguments(sample, tmp_path / "none", runs, "--append"))


def test_some_galaxies_of_a_sample_have_their_own_pixels(sample):
    rows = np.array([3, 4, 7, 90, 118])
    chosen = ChosenRows.of(sample, rows)
    assert chosen.catalog["id"].tolist() == [f"g{row:04d}" for row in rows]
    np.testing.assert_array_equal(chosen.pixels(slice(1, 9)), np.asarray(sample.flux[:])[rows[1:]])
    assert chosen.pixels(slice(5, 9)).shape == (0, 3, 32, 32)


def test_galaxies_of_a_margin_are_not_counted_twice(tmp_path):
    for name in ("sky", "sky_10arcs"):
        folder = tmp_path / name / "dataset" / "Norder=0" / "Dir=0"
        folder.mkdir(parents=True)
        pd.DataFrame({"id": ["a", "b"]}).to_parquet(folder / "Npix=4.parquet")
    (tmp_path / "sky" / "point_map.fits").touch()
    assert size(tmp_path, "hats") == 2
