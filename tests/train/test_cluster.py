"""Encoding on Dask's workers, to HATS catalogues that LSDB opens."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pandas as pd
import pytest

from pcvae.errors import SettingsError, StoreError, WorkerError
from pcvae.lookalikes import seed_density, shared_neighbours
from pcvae.neighbours import Neighbours
from pcvae.store import StoreWriter, read_store
from train import encode, lookalikes
from train import hats as to_hats
from train.encoding import cluster as clusters
from train.encoding import engine, hats_writer

pytestmark = [
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
    pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning"),
]
RADIUS = 20 * 3600.0  # arcsec
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", autouse=True)
def quickly():
    """Small trees of the sky, which are not compiled, as that takes longer than all tests here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numba.config, "DISABLE_JIT", True)
        import hats.pixel_tree.moc_filter
        import hats.pixel_tree.pixel_alignment  # noqa: F401
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hats_writer, "ORDER", 3)
        yield


@pytest.fixture(scope="module")
def cluster():
    """Two processes, forked from one that has imported what they need."""
    import dask
    from distributed import LocalCluster
    from distributed.utils import get_mp_context

    with dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        needed = ["distributed", "hats_import.pipeline", "train.encoding.part_tasks"]
        get_mp_context().set_forkserver_preload(needed)
        with LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        ) as started:
            yield started


@pytest.fixture(scope="module")
def make_arguments(sample, runs, cluster):
    """The words of a command that encodes the sample on the cluster."""

    def make(output, *options):
        given = [sample.folder, output, "--run", f"physics={runs['physics']}", "--device", "cpu"]
        where = ["--engine", "dask", "--scheduler", cluster.scheduler_address]
        return [str(word) for word in (*given, *where, *options)]

    return make


def kill_a_worker(client):
    os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)


def watch(patch, after_first):
    """Call ``after_first(client)`` when the first part is there; the jobs that are handed out."""
    handed_out = []

    def results(client, task, jobs, results=clusters.results):
        handed_out.extend(jobs)
        for count, result in enumerate(results(client, task, handed_out)):
            if count == 0 and after_first:
                after_first(client)
            yield result

    patch.setattr(engine, "results", results)
    return handed_out


@pytest.fixture(scope="module")
def catalog(make_arguments, tmp_path_factory):
    """A catalogue of some partitions; one of the workers was killed while it was made."""
    made = tmp_path_factory.mktemp("catalogs") / "sky"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encode, "ROWS", 10)
        watch(patch, kill_a_worker)
        options = ["--output", "hats", "--partition-rows", "50"]
        return encode.main(make_arguments(made, *options))


@pytest.fixture(scope="module")
def opened(catalog):
    import lsdb

    return lsdb.open_catalog(catalog)


@pytest.fixture(scope="module")
def table(opened):
    return opened.compute().sort_values("id")


def test_a_killed_worker_loses_no_galaxy_and_none_is_there_twice(table, sample, store):
    assert table["id"].tolist() == sample.catalog["id"].tolist()
    expected = read_store(store).latents("physics")
    for name in set(expected) - {"id"}:
        found = table[f"physics_{name}"].to_numpy(np.float32)
        np.testing.assert_allclose(found, expected[name], rtol=1e-3, atol=1e-4)


def test_a_catalogue_has_the_columns_of_a_store_and_tells_how_it_was_made(catalog, table, store):
    galaxies = read_store(store).galaxies
    assert set(galaxies) < set(table)
    assert table["log_mass"].to_numpy() == pytest.approx(galaxies["log_mass"].to_numpy())
    facts = json.loads((catalog / "pcvae.json").read_text())
    assert facts["galaxies"] == 120
    assert len(facts["sha256"]["physics"]) == 64
    assert {"pcvae", "torch", "hats"} < set(facts["versions"])
    assert "--output hats" in facts["command"]
    assert f"pcvae_models=physics sha256:{facts['sha256']['physics']}" in (
        (catalog / "sky" / "hats.properties").read_text()
    )
    assert ".partial" not in (catalog / "sky_10arcs" / "hats.properties").read_text()
    assert not catalog.with_name("sky.partial").exists()


def test_a_cone_search_finds_what_lies_in_the_cone(opened, table):
    from astropy.coordinates import SkyCoord

    found = opened.cone_search(ra=40.0, dec=10.0, radius_arcsec=RADIUS).compute()
    places = SkyCoord(table["ra"].to_numpy(), table["dec"].to_numpy(), unit="deg")
    near = SkyCoord(40, 10, unit="deg").separation(places).arcsec < RADIUS
    assert 0 < near.sum() < 60
    assert sorted(found["id"]) == sorted(table["id"][near])


def test_the_lines_of_the_document_search_and_cross_match(catalog, opened, table, tmp_path):
    """They find each galaxy in another catalogue, also beyond the edges of partitions."""
    import lsdb

    text = (ROOT / "train" / "README.md").read_text()
    (code,) = re.findall(r"```python\n(import lsdb\n.*?)```", text, re.DOTALL)
    places = {"catalogs/mine": str(catalog), "catalogs/both": str(tmp_path / "both")}
    for name, path in places.items():
        assert f'"data/{name}"' in code
        code = code.replace(f"data/{name}", path)
    ra, dec = table["ra"].to_numpy() + 0.5 / 3600, table["dec"].to_numpy()
    theirs = pd.DataFrame({"name": table["id"].to_numpy(str), "ra": ra, "dec": dec})[::2]
    said = {"table": theirs}
    code = code.replace("ra=150.1, dec=2.2", f"ra={ra[9]}, dec={dec[9]}")
    exec(code.replace("decals_", "physics_"), said)
    assert said["near"]["id"].tolist() == [table["id"].iloc[9]]
    rare = (table["physics_ood"] > 0.999) & (table["physics_redshift"] < 0.1)
    assert sorted(said["rare"]["id"]) == table["id"][rare].tolist()
    both = lsdb.open_catalog(tmp_path / "both").compute()
    assert opened.npartitions > 1
    assert sorted(both["name"]) == sorted(theirs["name"])
    assert (both["name"] == both["id_ours"]).all()
    assert (both["_dist_arcsec"] < 0.51).all()


def test_workers_that_come_late_get_their_share(cluster, monkeypatch):
    from distributed import Client

    monkeypatch.setattr(clusters, "AGAIN", 0)
    with Client(cluster) as client:
        counts = iter([{}, {"a": 1}])
        monkeypatch.setattr(client, "nthreads", lambda: next(counts, {"a": 1, "b": 1}))
        given, submitted, found, waiting = client.submit, [], [], []

        def submit(task, job, **options):
            submitted.append(job)
            return given(task, job, **options)

        monkeypatch.setattr(client, "submit", submit)
        for result in clusters.results(client, abs, range(-20, 0)):
            found.append(result)
            waiting.append(len(submitted) - len(found))
    assert waiting[:4] == [0, 2, 5, 5]  # of none, one and two workers
    assert sorted(found) == list(range(1, 21))


@pytest.fixture
def scheduler_apart():
    """A scheduler, with its worker, in a process of its own: that process and its address."""
    text = (
        "from distributed import LocalCluster\n"
        "cluster = LocalCluster(processes=False, n_workers=1, threads_per_worker=1,"
        " protocol='tcp', host='127.0.0.1', dashboard_address='127.0.0.1:0')\n"
        "print(cluster.scheduler_address, flush=True)\n"
        "input()\n"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", text], text=True, env=path, **pipes) as process:
        yield process, process.stdout.readline().strip()
        process.kill()


def test_a_killed_scheduler_ends_in_words_and_the_same_command_goes_on(
    make_arguments, scheduler_apart, store, tmp_path, monkeypatch
):
    process, address = scheduler_apart
    monkeypatch.setattr(encode, "ROWS", 10)
    given = tmp_path / "store", "--no-stamps"  # whose chunks are larger than these parts
    there = make_arguments(*given, "--scheduler", address)
    with monkeypatch.context() as patch:
        first = watch(patch, lambda _: process.kill())
        with pytest.raises(WorkerError, match=r"the same command goes on"):
            encode.main(there)
    assert not (tmp_path / "store").exists()
    assert not (tmp_path / "store.lock").exists()
    done = len(list((tmp_path / "store.partial" / "parts" / "physics").glob("*.parquet")))
    second = watch(monkeypatch, None)
    made = read_store(encode.main(make_arguments(*given)))
    assert len(first) == 12
    assert 0 < done < 12
    assert len(second) == 12 - done
    whole = read_store(store)
    pd.testing.assert_frame_equal(
        made.latents("physics"), whole.latents("physics"), rtol=1e-3, atol=1e-4
    )


def test_a_catalogue_that_is_killed_at_its_end_again_and_again_is_finished(
    store, tmp_path, monkeypatch
):
    def killed(*_):
        raise KeyboardInterrupt

    given = [str(store), str(tmp_path / "sky"), "--partition-rows", "50"]
    for last in ("_run", "copy_model", "write_facts", "replace_folder"):
        with monkeypatch.context() as patch:
            patch.setattr(hats_writer, last, killed)
            with pytest.raises(KeyboardInterrupt):
                to_hats.main(given)
        if last == "_run":  # hats-import had begun a file, and cannot read it
            (state,) = tmp_path.glob("sky.partial/state/sky/intermediate/sky/intermediate")
            (state / "row_count_histograms").mkdir()
            (state / "row_count_histograms" / "map_0.npz").write_bytes(b"PK\x03\x04")
        assert not (tmp_path / "sky").exists()
    made = to_hats.main(given)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sky"]
    assert sorted(path.name for path in made.iterdir()) == [
        *("collection.properties", "models", "pcvae.json", "settings.json", "sky", "sky_10arcs")
    ]
    found = pd.concat(map(pd.read_parquet, made.glob("sky/dataset/**/Npix=*.parquet")))
    assert sorted(found["id"]) == read_store(store).galaxies["id"].tolist()
    assert {"physics_ood", "vanilla_latent_0"} < set(found)


def kill_after_a_part(arguments):
    """Call a command of one process that is killed when it has written a part."""

    def write_part(writer, model, start, table, write=StoreWriter.write_part):
        write(writer, model, start, table)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StoreWriter, "write_part", write_part)
        with pytest.raises(KeyboardInterrupt):
            encode.main(arguments)


def test_workers_add_galaxies_to_a_store_and_to_a_catalogue(
    make_sample, sample, make_arguments, store, tmp_path, monkeypatch
):
    monkeypatch.setattr(encode, "ROWS", 64)
    monkeypatch.chdir(tmp_path)  # where the workers are not
    few = make_sample(tmp_path / "few", 50)
    whole = read_store(store)
    for output in ("store", "hats"):
        options = ["--output", output, *(["--partition-rows", "30"] if output == "hats" else [])]
        made = Path(output)
        there = make_arguments(made, *options)
        encode.main([str(few.folder), *there[1:]])
        if output == "store":
            kill_after_a_part([*there[:6], "--append"])
        encode.main([*there, "--append"])
        assert [path.name for path in tmp_path.glob(f"{output}*")] == [output]
        if output == "store":
            added = read_store(made)
            found, ids = added.latents("physics")["redshift"], added.galaxies["id"]
            assert (np.asarray(added.stamps[:]) == np.asarray(whole.stamps[:])).all()
        else:
            parts = hats_writer.partitions(made)
            table = pd.concat(map(pd.read_parquet, parts)).sort_values("id")
            found, ids = table["physics_redshift"], table["id"]
            assert len(parts) > 4
            assert json.loads((made / "pcvae.json").read_text())["galaxies"] == 120
        assert ids.tolist() == whole.galaxies["id"].tolist()
        expected = whole.latents("physics")["redshift"]
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


@pytest.fixture(scope="module")
def near(table, store):
    """All galaxies of the catalogue in one tree, as the dashboard searches them."""
    features = read_store(store).features("physics")
    values = table[[f"physics_{name}" for name in features.names]].to_numpy(float)
    return Neighbours(values, blocks=features.sizes)


def test_neighbours_over_partitions_are_those_of_one_machine(
    catalog, cluster, table, near, tmp_path, monkeypatch
):
    ids = table["id"].to_numpy(str)
    rows = [3, 40, 77]
    monkeypatch.chdir(catalog.parent)  # where the workers are not
    out = str(tmp_path / "near.parquet")
    given = [catalog.name, out, "--ids", ",".join(ids[rows]), "-k", "7"]
    where = ["--engine", "dask", "--scheduler", cluster.scheduler_address]
    found = pd.read_parquet(lookalikes.main([*given, *where]))
    expected, distances = near.query(rows, 7)
    assert found["query"].tolist() == np.repeat(ids[rows], 7).tolist()
    assert found["id"].tolist() == ids[expected].ravel().tolist()
    np.testing.assert_allclose(found["distance"], distances.ravel(), rtol=1e-9)


def test_lookalikes_over_partitions_are_those_of_one_machine(catalog, table, near, tmp_path):
    ids = table["id"].to_numpy(str)
    seeds, field = ((table["population"] == name).to_numpy() for name in ("green_pea", "field"))
    given = ["--populations", "green_pea", "--among", "population == 'field'", "-k", "5"]
    shared, density = (
        pd.read_csv(
            lookalikes.main([str(catalog), str(tmp_path / f"{rank}.csv"), *given, "--rank", rank])
        )
        for rank in ("shared", "density")
    )
    expected = shared_neighbours(near, seeds, field, 5)
    assert shared["id"].tolist() == ids[expected["row"]].tolist()
    assert shared["seeds"].tolist() == expected["seeds"].tolist()
    expected = seed_density(near, seeds, field, 5)
    assert density["id"].tolist() == ids[expected["row"]].tolist()
    np.testing.assert_allclose(density["density"], expected["density"], rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--ids", "none"], "expected galaxy none in .*, found none"),
        (["--ids", "g0001", "--model", "other"], "one of physics, found other"),
        (["--ids", "g0001", "--among", "redshift >"], "expected a condition such as"),
        (["--ids", "g0001", "--among", "size > 1"], "expected a column 'size'"),
        (["--populations", "green_pea"], "with --rank shared or density"),
    ],
)
def test_a_search_that_cannot_be_made_says_why(catalog, tmp_path, options, words):
    with pytest.raises((SettingsError, StoreError), match=words):
        lookalikes.main([str(catalog), str(tmp_path / "out.csv"), *options])


def test_galaxies_without_a_place_are_left_out_and_named(make_store, tmp_path):
    import pyarrow.parquet as pq

    store = make_store(5, models=["physics"], stamps=False)
    table = pd.read_parquet(store / "galaxies.parquet")
    table.loc[1, "ra"] = np.nan
    table.to_parquet(store / "galaxies.parquet", index=False)
    made = to_hats.main([str(store), str(tmp_path / "sky")])
    assert pd.read_csv(made / "left_out.csv")["id"].tolist() == ["g0001"]
    assert pq.read_metadata(made / "sky" / "dataset" / "_metadata").num_rows == 4
    table.assign(dec=np.nan).to_parquet(store / "galaxies.parquet", index=False)
    with pytest.raises(StoreError, match="no galaxy has a right ascension"):
        to_hats.main([str(store), str(tmp_path / "other")])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--scheduler", "tcp://127.0.0.1:1"], "with --engine dask"),
        (["--engine", "dask", "--workers", "0"], "at least 1"),
        (["--engine", "dask", "--workers", "2", "--scheduler", "tcp://x:1"], "found both"),
        (["--engine", "dask", "--worker-memory", "much"], "such as 4GB, found 'much'"),
        (["--partition-rows", "0"], "at least 1, found 0"),
    ],
)
def test_options_that_do_not_go_together_are_refused(store, tmp_path, options, words):
    with pytest.raises(SettingsError, match=words):
        to_hats.main([str(store), str(tmp_path / "sky"), *options])


def test_a_scheduler_that_does_not_answer_is_named(store, tmp_path, monkeypatch):
    monkeypatch.setattr(clusters, "WAIT", 0.2)
    given = ["--engine", "dask", "--scheduler", "tcp://127.0.0.1:9"]
    with pytest.raises(WorkerError, match=r"answers at tcp://127\.0\.0\.1:9: start one"):
        to_hats.main([str(store), str(tmp_path / "sky"), *given])
