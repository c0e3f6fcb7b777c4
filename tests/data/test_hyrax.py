import json

import numpy as np
import pandas as pd
import pytest

from data import hyrax
from data.readers.hyrax_results import read_results
from pcvae.dataset import assign_split
from pcvae.errors import CatalogError
from pcvae.store import read_store

IDS = [f"g{row:04d}" for row in range(30)]


def write_results(folder, ids=IDS, numbers=4, dtype=np.float32):
    """Batches of ten as Hyrax writes them, not in the order of the ids."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    ids = np.array(ids)[rng.permutation(len(ids))]
    kind = np.dtype([("id", ids.dtype), ("tensor", dtype, (numbers,))])
    index = np.zeros(len(ids), [("id", ids.dtype), ("batch_num", np.int64)])
    for batch in range(-(-len(ids) // 10)):
        some = ids[batch * 10 : batch * 10 + 10]
        values = np.zeros(len(some), kind)
        values["id"] = some
        values["tensor"] = [[int(one[1:])] * numbers for one in some]
        np.save(folder / f"batch_{batch}.npy", values)
        index["id"][batch * 10 : batch * 10 + 10] = some
        index["batch_num"][batch * 10 : batch * 10 + 10] = batch
    np.save(folder / "batch_index_insertion_order.npy", index)
    np.save(folder / "batch_index.npy", np.sort(index, order="id"))
    (folder / "runtime_config.toml").write_text("[infer]\n")
    return folder


def run(*arguments):
    return read_store(hyrax.main([str(one) for one in arguments]))


def test_vectors_are_read_from_all_batches(tmp_path):
    found = read_results(write_results(tmp_path / "results"))
    assert sorted(found.ids) == IDS
    values = np.concatenate(list(found.blocks()))
    np.testing.assert_array_equal(values[:, 0], [int(one[1:]) for one in found.ids])


def test_vectors_are_read_from_lance(tmp_path):
    lance = pytest.importorskip("lance", reason="pylance is not installed")
    import pyarrow as pa

    kind = pa.list_(pa.float32(), 3)
    table = pa.table({"object_id": IDS, "data": pa.array([[1.0, 2.0, 3.0]] * len(IDS), kind)})
    (tmp_path / "results" / "lance_db").mkdir(parents=True)
    lance.write_dataset(table, str(tmp_path / "results" / "lance_db" / "results.lance"))
    found = read_results(tmp_path / "results")
    assert list(found.ids) == IDS
    values = np.concatenate(list(found.blocks()))
    np.testing.assert_array_equal(values, [[1, 2, 3]] * len(IDS))


def test_a_samples_galaxies_get_their_vectors_and_their_pictures(sample, tmp_path):
    results = write_results(tmp_path / "results")
    store = run(results, tmp_path / "store", "--sample", sample.folder)
    assert list(store.galaxies["id"]) == IDS
    expected = np.tile(np.arange(30.0)[:, None], 4)
    np.testing.assert_array_equal(store.values("hyrax"), expected)
    assert store.stamps.shape == (30, 32, 32, 3)
    assert store.info.rare == sample.info.rare
    assert "Embedded by Hyrax, results" in store.info.source
    ids, populations = list(sample.catalog["id"][:30]), list(sample.catalog["population"][:30])
    split = assign_split(ids, populations, sample.info.held_out, 0)
    assert list(store.galaxies["split"]) == list(split)
    assert set(split) == {"train", "validation", "test", "held_out"}
    latents = store.latents("hyrax")
    assert latents["recon_error"].isna().all()
    assert "latent_0_sigma" not in latents


def test_the_store_says_that_it_has_no_network(sample, tmp_path):
    results = write_results(tmp_path / "results")
    store = run(results, tmp_path / "store", "--sample", sample.folder, "--model", "umap")
    (model,) = store.info.models
    assert (model.name, model.kind, model.recipe) == ("umap", "embedding", "Hyrax")
    assert [latent.axis for latent in model.latents][:2] == ["umap 1", "umap 2"]
    folder = store.model_folder("umap")
    assert json.loads((folder / "embedding.json").read_text())["results"] == "results"
    assert (folder / "runtime_config.toml").exists()
    assert not (folder / "run.json").exists()


def test_a_table_says_what_is_known_of_the_galaxies(tmp_path):
    table = tmp_path / "table.csv"
    kinds = ["odd", *["field"] * 9]
    pd.DataFrame({"object_id": IDS[:10], "z": 0.1, "kind": kinds}).to_csv(table, index=False)
    options = ("--columns", "id=object_id,redshift=z", "--population-column", "kind")
    results = write_results(tmp_path / "results")
    store = run(results, tmp_path / "store", "--catalog", table, *options, "--rare", "odd")
    assert len(store) == 10
    assert store.galaxies["redshift"].eq(0.1).all()
    assert store.info.rare == ("odd",)
    assert store.stamps is None


def test_ids_alone_are_enough(tmp_path):
    store = run(write_results(tmp_path / "results"), tmp_path / "store")
    assert sorted(store.galaxies["id"]) == IDS
    assert store.galaxies["redshift"].isna().all()
    assert store.galaxies["split"].eq("new").all()


def test_what_is_no_result_folder_is_refused(tmp_path, sample):
    with pytest.raises(CatalogError, match=r"expected batch_0\.npy, \.\.\. or lance_db"):
        run(tmp_path, tmp_path / "store")
    twice = write_results(tmp_path / "twice", [*IDS, IDS[0]])
    with pytest.raises(CatalogError, match="'g0000' occurs more than once"):
        run(twice, tmp_path / "store")
    others = write_results(tmp_path / "others", ["h0001"])
    with pytest.raises(CatalogError, match="--columns id=NAME"):
        run(others, tmp_path / "store", "--sample", sample.folder)
    np.save(others / "batch_0.npy", np.array([{}], dtype=object))
    with pytest.raises(CatalogError, match="which cannot be read"):
        run(others, tmp_path / "store")


def test_vectors_that_are_not_finite_are_refused(tmp_path):
    results = write_results(tmp_path / "results")
    batch = np.load(results / "batch_1.npy")
    batch["tensor"][3, 1], name = np.nan, str(batch["id"][3])
    np.save(results / "batch_1.npy", batch)
    with pytest.raises(CatalogError, match=rf"found 1 of 30 that are not, the first of {name!r}"):
        run(results, tmp_path / "store")
