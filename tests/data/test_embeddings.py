"""Stores of another model's vectors, from files of any kind, beside our models or alone."""

import json
import shutil

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zarr

from data import embeddings
from pcvae.dataset import assign_split
from pcvae.errors import CatalogError, SettingsError
from pcvae.store import read_store

WIDTH = 80  # more than are columns of a table


@pytest.fixture
def vectors():
    """A vector a galaxy of ``sample``, in single precision."""
    return np.random.default_rng(0).normal(size=(120, WIDTH)).astype(np.float32)


def ids_of(sample):
    """The ids, not in the order of the sample, and the rows that they are of."""
    rows = np.random.default_rng(1).permutation(len(sample.catalog))
    return sample.catalog["id"].to_numpy(str)[rows], rows


def run(*arguments):
    return read_store(embeddings.main([str(one) for one in arguments]))


def write_npy(path, ids, values):
    np.save(path / "v.npy", values)
    (path / "ids.txt").write_text("\n".join(ids))
    return [path / "v.npy", "--ids", path / "ids.txt"]


def write_half(path, ids, values):
    np.save(path / "v.npy", values.astype(np.float64).reshape(len(ids), 8, -1))
    pd.DataFrame({"object_id": ids}).to_csv(path / "ids.csv", index=False)
    return [path / "v.npy", "--ids", path / "ids.csv"]


def write_npz(path, ids, values):
    np.savez_compressed(path / "v.npz", embeddings=values, ids=ids, redshift=np.zeros(len(ids)))
    return [path / "v.npz"]


def write_lists(path, ids, values):
    table = pa.table({"object_id": ids, "ra": np.zeros(len(ids)), "emb": list(values)})
    pq.write_table(table, path / "v.parquet", row_group_size=50)
    return [path / "v.parquet"]


def write_columns(path, ids, values):
    columns = {f"f_{axis}": column for axis, column in enumerate(values.T)}
    pd.DataFrame({"id": ids, "ra": 1.5, **columns}).to_parquet(path / "v.parquet")
    return [path / "v.parquet"]


def write_hdf5(path, ids, values):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path / "v.h5", "w") as file:
        file["clip/image"], file["clip/spectrum"] = values, values[:, :3]
        file["object_id"] = np.array(ids, dtype="S")
    return [path / "v.h5", "--array", "clip/image"]


def write_zarr(path, ids, values):
    group = zarr.create_group(path / "v.zarr")
    group.create_array("vectors", data=values, chunks=(50, WIDTH))
    group.create_array("targetid", data=np.array([int(one[1:]) for one in ids]))
    pd.DataFrame({"id": ids}).to_csv(path / "ids.csv", index=False)
    return [path / "v.zarr", "--ids", path / "ids.csv"]


WRITERS = [write_npy, write_half, write_npz, write_lists, write_columns, write_hdf5, write_zarr]


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__[6:])
def test_vectors_of_any_file_come_to_their_galaxies(write, sample, vectors, tmp_path):
    ids, rows = ids_of(sample)
    arguments = write(tmp_path, ids, vectors[rows])
    store = run(*arguments, tmp_path / "store", "--sample", sample.folder, "--model", "clip")
    np.testing.assert_array_equal(store.values("clip"), vectors)
    assert store.values("clip").dtype == np.float32
    assert list(store.galaxies["id"]) == list(sample.catalog["id"])
    assert list(store.latents("clip")) == ["id", "recon_error"]
    assert len(store.model("clip").names) == WIDTH


def test_a_store_holds_ours_and_the_other_on_the_galaxies_that_both_have(store, vectors, tmp_path):
    """With the splits, pictures and latents of ours, row by row."""
    ours = read_store(store)
    some = np.arange(0, 120, 2)
    np.savez(tmp_path / "v.npz", v=vectors[some], id=ours.galaxies["id"].to_numpy(str)[some])
    both = run(tmp_path / "v.npz", tmp_path / "both", "--store", store, "--model", "clip")
    assert [model.name for model in both.info.models] == ["physics", "vanilla", "clip"]
    pd.testing.assert_frame_equal(
        both.galaxies, ours.galaxies.iloc[some].reset_index(drop=True), check_dtype=False
    )
    for name in ("physics", "vanilla"):
        np.testing.assert_array_equal(both.values(name), ours.values(name)[some])
        assert (both.model_folder(name) / "run.json").exists()
    np.testing.assert_array_equal(both.values("clip"), vectors[some])
    np.testing.assert_array_equal(both.stamps[:], ours.stamps[:][some])
    with pytest.raises(SettingsError, match="has a model 'physics' already"):
        run(tmp_path / "v.npz", tmp_path / "no", "--store", store, "--model", "physics")
    again = run(tmp_path / "v.npz", tmp_path / "three", "--store", both.folder, "--model", "b")
    np.testing.assert_array_equal(again.values("clip"), vectors[some])
    assert list(again.projections("clip")) == list(both.projections("clip"))


def test_galaxies_that_our_models_never_saw_are_dealt_so_that_neighbours_can_learn(
    store, vectors, tmp_path
):
    folder = shutil.copytree(store, tmp_path / "ours")
    table = pd.read_parquet(folder / "galaxies.parquet").assign(split="new")
    table.to_parquet(folder / "galaxies.parquet", index=False)
    np.savez(tmp_path / "v.npz", v=vectors, id=table["id"].to_numpy(str))
    options = ("--model", "clip", "--test", 0.5, "--seed", 3)
    both = run(tmp_path / "v.npz", tmp_path / "both", "--store", folder, *options)
    never = [*both.info.rare, *both.info.hard_negative]
    shares = (0.1, 0.5)
    split = assign_split(table["id"], list(table["population"]), never, 3, shares=shares)
    assert list(both.galaxies["split"]) == list(split)
    assert (both.galaxies["split"] == "test").sum() > 30


def test_a_wide_embedding_has_principal_components_to_look_at(sample, vectors, tmp_path):
    vectors[:, 5] *= 100
    ids = sample.catalog["id"].to_numpy(str)
    store = run(*write_npz(tmp_path, ids, vectors), tmp_path / "store", "--sample", sample.folder)
    axes = store.projections("embedding")
    assert list(axes) == [f"pca_{axis}" for axis in range(10)]
    known = np.corrcoef(axes["pca_0"], vectors[:, 5])[0, 1]
    assert abs(known) == pytest.approx(1, abs=1e-3)
    assert not set(axes) & set(store.features("embedding").names)
    assert store.features("embedding").values.shape == (120, WIDTH)


def test_a_killed_command_goes_on_and_gives_the_same(sample, vectors, tmp_path, monkeypatch):
    monkeypatch.setattr(embeddings, "NUMBERS", 40 * WIDTH)
    ids = sample.catalog["id"].to_numpy(str)
    arguments = [*write_npz(tmp_path, ids, vectors), tmp_path / "store", "--sample", sample.folder]
    writes = []

    def killed(writer, model, start, table):
        writes.append(start)
        if len(writes) == 3:
            raise KeyboardInterrupt
        written(writer, model, start, table)

    from pcvae.store import StoreWriter

    written = StoreWriter.write_part
    monkeypatch.setattr(StoreWriter, "write_part", killed)
    with pytest.raises(KeyboardInterrupt):
        run(*arguments)
    (tmp_path / ".store.vectors.partial").mkdir()
    (tmp_path / ".store.vectors.partial" / "model").mkdir()  # as a killed command leaves it
    np.testing.assert_array_equal(run(*arguments).values("embedding"), vectors)
    assert writes == [0, 40, 80, 80]
    assert {path.name for path in tmp_path.iterdir()} == {"store", "v.npz"}


def test_what_holds_no_vectors_or_ids_is_said(sample, vectors, tmp_path):
    ids = sample.catalog["id"].to_numpy(str)
    out = tmp_path / "store"
    np.save(tmp_path / "v.npy", vectors)
    for arguments, message in (
        ([tmp_path / "none.npy"], "found no such file or folder"),
        ([tmp_path / "v.npy"], r"expected ids of the galaxies .* --ids FILE"),
        ([tmp_path / "v.npy", "--array", "x"], "expected vectors x in .* one without a name"),
    ):
        with pytest.raises(CatalogError, match=message):
            run(*arguments, out)
    for name, arrays, message in (
        ("two", {"a": vectors, "b": vectors, "id": ids}, "found a, b: name them by --array"),
        ("short", {"a": vectors[:5], "id": ids}, "expected ids of the galaxies"),
        ("dates", {"a": vectors, "id": np.zeros(120)}, "a whole number a galaxy as ids"),
        ("text", {"a": np.full((120, 3), "x"), "id": ids}, "found <U1"),
    ):
        np.savez(tmp_path / f"{name}.npz", **arrays)
        with pytest.raises(CatalogError, match=message):
            run(tmp_path / f"{name}.npz", out)
    (tmp_path / "words.npy").write_text("no array at all")
    with pytest.raises(CatalogError, match="magic string") as said:
        run(tmp_path / "words.npy", out)
    assert "pickle" not in str(said.value)
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    with pytest.raises(CatalogError, match="cannot be read as vectors"):
        run(tmp_path / "broken.parquet", out)
    vectors[7, 3] = np.inf
    with pytest.raises(CatalogError, match=f"found 1 of 120 that are not, the first of '{ids[7]}"):
        run(*write_npz(tmp_path, ids, vectors), out)
    with pytest.raises(SettingsError, match="expected one of --store, --sample and --catalog"):
        run(tmp_path / "v.npy", out, "--sample", "a", "--catalog", "b")
    assert not out.exists()


def test_ids_may_have_blanks_and_other_columns_structs(tmp_path):
    """As catalogues of several surveys have them."""
    names = ["SDSS J1 a", "SDSS J1 b"]
    np.save(tmp_path / "v.npy", np.eye(2, 3))
    (tmp_path / "ids.txt").write_text("\n".join(names) + "\n\n")
    store = run(tmp_path / "v.npy", tmp_path / "one", "--ids", tmp_path / "ids.txt")
    assert sorted(store.galaxies["id"]) == names
    image = [{"flux": [1.0, 2.0]}] * 2
    table = pa.table({"name": names, "image": image, "v": [[[1.0], [2.0]], [[3.0], [4.0]]]})
    pq.write_table(table, tmp_path / "v.parquet")
    found = run(tmp_path / "v.parquet", tmp_path / "two")
    np.testing.assert_array_equal(found.values("embedding"), [[1, 2], [3, 4]])
    pq.write_table(table.set_column(2, "v", pa.array([[1.0], [2.0, 3.0]])), tmp_path / "v.parquet")
    with pytest.raises(CatalogError, match="one length, found lists of 1, 2 numbers"):
        run(tmp_path / "v.parquet", tmp_path / "three")


def test_a_changed_array_does_not_finish_what_another_began(sample, vectors, tmp_path):
    ids = sample.catalog["id"].to_numpy(str)
    arguments = write_npz(tmp_path, ids, vectors)
    store = run(*arguments, tmp_path / "store", "--sample", sample.folder, "--made-by", "CLIP")
    settings = json.loads((store.folder / "settings.json").read_text())
    write_npz(tmp_path, ids, vectors + 1)
    other = run(*arguments, tmp_path / "other", "--sample", sample.folder)
    assert settings["files"] != json.loads((other.folder / "settings.json").read_text())["files"]
    assert "Embedded by CLIP, v.npz" in store.info.source
