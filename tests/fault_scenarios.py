"""Every writer of the project, small, for ``tests.faults``."""

import os
import shutil
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import load_file

from tests.faults import LOST, SAME, Scenario, survey

ROWS = 71  # two parts
EARLIER = Path(__file__).parent / "earlier_version" / "store" / "models" / "physics"
CPU = ("--device", "cpu")
Survey = Callable[[Path, int], Counter[str]]  # of a folder and "every"; what became of kills


def sample(folder: Path, *, gaps: bool, replaced: bool) -> Scenario:
    """``pcvae.cutouts.SampleWriter``, with candidates that are left out, or over a sample."""
    from pcvae.cutouts import SampleWriter
    from tests.pcvae.test_cutouts import INFO, fill, holds

    def keep(row: int) -> bool:
        return not gaps or row % 3 > 0

    def write() -> None:
        fill(SampleWriter(folder, INFO, ROWS, {}, overwrite=replaced), keep)

    def write_old() -> None:
        fill(SampleWriter(folder, INFO, 1, {"old": 1}))

    return Scenario(folder, write, lambda: holds(folder), write_old if replaced else None)


def store(folder: Path, *, replaced: bool) -> Scenario:
    """``pcvae.store.StoreWriter``: two parts of a model, stamps, and the model's own files."""
    from pcvae.labels import Latent
    from pcvae.store import ModelInfo, StoreInfo, StoreWriter, read_store

    model = ModelInfo("m", "vanilla", "paper", (Latent("a", "A"),))
    info = StoreInfo(
        "s", "made up", ("g", "r", "z"), 0.262, 4, "nanomaggy", (), (), (model,), {}, "", ""
    )

    def fill(rows: int, settings: dict[str, int]) -> None:
        writer = StoreWriter(folder, settings, overwrite=replaced)
        ids = [f"g{row}" for row in range(rows)]
        for start in range(0, rows, 64):
            end = min(start + 64, rows)
            if not writer.has_part("m", start):
                stamps = np.arange(start, end, dtype=np.uint8).reshape(-1, 1, 1, 1)
                writer.write_stamps(start, np.broadcast_to(stamps, (end - start, 4, 4, 3)), rows)
                values = np.arange(start, end, dtype=float)
                table = pd.DataFrame({"id": ids[start:end], "a": values, "a_sigma": values})
                writer.write_part("m", start, table)
        writer.finish(info, pd.DataFrame({"id": ids, "split": "test"}), {"m": EARLIER})

    def state() -> list[int]:
        store = read_store(folder)
        rows = [int(value) for value in store.latents("m")["a"]]
        assert list(store.stamps[:, 3, 3, 2]) == rows
        assert list(store.galaxies["id"]) == [f"g{row}" for row in rows]
        assert (store.model_folder("m") / "run.json").exists()
        return rows

    old = (lambda: fill(1, {"old": 1})) if replaced else None
    return Scenario(folder, lambda: fill(ROWS, {}), state, old)


def ingest(folder: Path) -> Scenario:
    """``data.ingest`` of an array file, one of whose galaxies is left out."""
    from data import ingest
    from pcvae.cutouts import read_sample
    from tests.data.ingest_input import arrays, catalogue, galaxy

    given = folder.parents[1] / "given"
    images = np.stack([galaxy(seed) for seed in range(ROWS)])
    images[5] = np.nan
    arrays(catalogue(given, id=[f"g{row}" for row in range(ROWS)]), images)
    argv = [str(given), str(folder), "--bands", "g,r,z"]

    def state() -> object:
        made = read_sample(folder)
        return made.catalog.to_csv(), made.pixels(slice(0, ROWS)).tobytes()

    return Scenario(folder, lambda: ingest.main(argv), state)


def orientation(folder: Path) -> Scenario:
    """``data.orientation``, which replaces the catalogue of a sample."""
    from data import orientation
    from pcvae.cutouts import read_sample
    from tests.conftest import write_sample

    given = write_sample(folder.parents[1] / "given", 3).folder

    def state() -> str:
        return read_sample(folder).catalog.to_csv()

    def write_old() -> None:
        shutil.copytree(given, folder)

    return Scenario(folder, lambda: orientation.main([str(folder)]), state, write_old)


def catalogue(folder: Path, *, replaced: bool) -> Scenario:
    """``data.catalogs`` of a table of one's own."""
    from data import catalogs

    given = folder.parents[1] / "given"
    given.mkdir()
    for name, rows in (("new", 3), ("old", 1)):
        table = {"id": [f"g{row}" for row in range(rows)], "ra": range(rows), "dec": 0.0}
        pd.DataFrame(table).to_csv(given / f"{name}.csv", index=False)

    def write(name: str) -> None:
        argv = [str(folder), "--only", "none", "--table", str(given / f"{name}.csv")]
        catalogs.main([*argv, "--overwrite"] if replaced else argv)

    def state() -> str:
        assert (folder / "sources.json").stat().st_size
        cuts = pd.read_csv(folder / "cuts.csv").to_csv()
        return cuts + pd.read_parquet(folder / "catalog.parquet").to_csv()

    old = (lambda: write("old")) if replaced else None
    return Scenario(folder, lambda: write("new"), state, old)


def run(folder: Path, *, replaced: bool) -> Scenario:
    """``train.train``, two epochs."""
    from tests.conftest import write_sample
    from train import train

    given = write_sample(folder.parents[1] / "given", 40).folder
    argv = [str(given), str(folder), "--recipe", "paper", "--batch", "32", *CPU]

    def write(epochs: int) -> None:
        options = ["--epochs", str(epochs), *(["--overwrite"] if replaced else [])]
        train.main([*argv, *options])

    old = (lambda: write(1)) if replaced else None
    return Scenario(folder, lambda: write(2), lambda: _run_state(folder), old)


def _run_state(folder: Path) -> object:
    from pcvae.checkpoint import read_run

    made = read_run(folder)
    weights = {
        name: value.tobytes() for name, value in load_file(folder / "model.safetensors").items()
    }
    metrics = pd.read_csv(folder / "metrics.csv").drop(columns="seconds").to_csv()
    split = list(made.split(pd.Series([f"g{row:04d}" for row in range(40)])))
    assert (folder / "ood.safetensors").exists()
    return weights, metrics, split, made.info.epoch


def encode(folder: Path) -> Scenario:
    """``train.encode`` with the model that ships, whose galaxies have 128 pixels."""
    from pcvae.cutouts import SampleInfo, SampleWriter
    from pcvae.store import read_store
    from tests.conftest import paint
    from train import encode

    given = folder.parents[1] / "given"
    rng = np.random.default_rng(0)
    info = SampleInfo("s", "made up", ("g", "r", "z"), 0.262, 128)
    writer = SampleWriter(given, info, 2, {})
    flux = np.stack([paint(rng, 128)[0] for _ in range(2)])
    writer.write(0, flux, pd.DataFrame({"id": ["a", "b"]}))
    writer.finish()
    argv = [str(given), str(folder), "--run", "physics=decals", *CPU]

    def state() -> object:
        made = read_store(folder)
        return made.latents("physics").to_csv(), made.stamps[:].tobytes(), len(made.galaxies)

    return Scenario(folder, lambda: encode.main(argv), state)


def simulate(folder: Path) -> Scenario:
    """``data.simulate``, a few galaxies."""
    from data import simulate
    from pcvae.cutouts import read_sample

    counts = {"galaxies": 3, "red-spirals": 1, "green-peas": 1, "hard-negatives": 0}
    options = [word for name, count in counts.items() for word in (f"--{name}", str(count))]

    def state() -> object:
        made = read_sample(folder)
        return made.catalog.to_csv(), made.pixels(slice(0, 5)).tobytes()

    return Scenario(folder, lambda: simulate.main([str(folder), *options]), state)


def _two_bricks(given: Path) -> None:
    """Two bricks with three galaxies, and a catalogue with one more that no brick holds."""
    from tests.data.readers.test_legacy_bricks import positions, write_brick

    given.mkdir()
    tables = []
    for name, place in (("1500p020", (150.0, 2.0)), ("1600p000", (160.0, 0.0))):
        _, wcs = write_brick(given, name, place, 160)
        tables.append(pd.DataFrame(positions(wcs, [78.0, 80.0], [81.0, 79.0])))
    tables[1].loc[1] = [10.0, 80.0]
    table = pd.concat(tables).assign(id=["a", "b", "c", "none"], ebv=0.02)
    table.to_csv(given / "in.csv", index=False)


def cutouts(folder: Path) -> Scenario:
    """``data.cutouts --bricks``."""
    from data import cutouts
    from pcvae.cutouts import read_sample

    given = folder.parents[1] / "given"
    _two_bricks(given)
    argv = [given / "in.csv", folder, "--bricks", given, "--size", 64, "--workers", 1]

    def state() -> object:
        made = read_sample(folder)
        left_out = pd.read_csv(folder / "left_out.csv")
        return made.catalog.to_csv(), made.pixels(slice(0, 3)).tobytes(), len(left_out)

    return Scenario(folder, lambda: cutouts.main([str(word) for word in argv]), state)


def bricks(folder: Path) -> Scenario:
    """``train.encode --bricks`` with the model that ships."""
    from pcvae.store import read_store
    from train import encode

    given = folder.parents[1] / "given"
    _two_bricks(given)
    argv = ["--bricks", str(given), "--catalog", str(given / "in.csv"), str(folder)]

    def state() -> object:
        made = read_store(folder)
        left_out = pd.read_csv(folder / "left_out.csv")
        return made.latents("physics").to_csv(), list(made.galaxies["id"]), len(left_out)

    run = ["--run", "physics=decals", *CPU]
    return Scenario(folder, lambda: encode.main([*argv, *run]), state)


def embedding(folder: Path, *, replaced: bool) -> Scenario:
    """``data.embeddings`` of vectors of a table's galaxies."""
    from data import embeddings
    from pcvae.store import read_store

    given = folder.parents[1] / "given"
    given.mkdir()
    np.save(given / "v.npy", np.random.default_rng(0).normal(size=(ROWS, 9)))
    table = pd.DataFrame({"id": [f"g{row}" for row in range(ROWS)], "ra": 1.0, "dec": 2.0})
    for name in ("new", "old"):
        table.assign(redshift=0.1 if name == "new" else 0.2).to_csv(given / f"{name}.csv")
    table["id"].to_csv(given / "ids.csv", index=False)

    def write(name: str) -> None:
        argv = [given / "v.npy", folder, "--ids", given / "ids.csv"]
        options = ["--catalog", given / f"{name}.csv", *(["--overwrite"] if replaced else [])]
        embeddings.main([str(word) for word in (*argv, *options)])

    def state() -> object:
        made = read_store(folder)
        return made.galaxies.to_csv(), made.features("embedding").values.tobytes()

    old = (lambda: write("old")) if replaced else None
    return Scenario(folder, lambda: write("new"), state, old)


def projection(folder: Path) -> Scenario:
    """``train.project`` of a model's principal components, added to a whole store."""
    from pcvae.store import read_store
    from tests.train import synthetic
    from train import project

    given = folder.parents[1] / "given"
    given.mkdir()
    made = synthetic.write(given / "store", normal=60, rare={})

    def state() -> object:
        found = read_store(folder)
        return found.projections(found.info.models[0].name).to_csv()

    def write_old() -> None:
        shutil.copytree(made, folder)

    argv = [str(folder), "--model", read_store(made).info.models[0].name]
    return Scenario(folder, lambda: project.main(argv), state, write_old)


def report(folder: Path, *, replaced: bool) -> Scenario:
    """``train.evaluate`` of a store with latents that are made up."""
    import json

    from tests.train import synthetic
    from train import evaluate

    given = folder.parents[1] / "given"
    given.mkdir()
    made = synthetic.write(given / "store", normal=60, rare={})

    def write(seed: int) -> None:
        argv = [str(made), str(folder), "--seed", str(seed)]
        evaluate.main([*argv, "--overwrite"] if replaced else argv)

    def state() -> object:
        assert (folder / "tables.txt").stat().st_size
        assert (folder / "report.html").read_text().rstrip().endswith("</html>")
        return json.loads((folder / "metrics.json").read_text())["models"]

    old = (lambda: write(1)) if replaced else None
    return Scenario(folder, lambda: write(0), state, old)


def journal(folder: Path, every: int) -> Counter[str]:
    """A writer of labels that is killed after 1, 2, 3 ... of them were acknowledged."""
    from pcvae.journal import Journal

    path, told, found = folder / "labels.sqlite", 0, Counter[str]()
    for kill in range(0, 40, every):
        told += _label_and_die(path, f"kill{kill}", kill)
        with_all = Journal(path)
        events = len(with_all.events())
        with_all.close()
        found[SAME if told <= events <= told + kill // every + 1 else LOST] += 1
    return found


def _label_and_die(path: Path, name: str, labels: int) -> int:
    """Acknowledged labels of a process that is killed after so many at least."""
    from pcvae.journal import Journal

    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        journal = Journal(path, user="ana")
        for number in range(10**6):
            journal.tag(f"{name}-{number}", "lens")
            os.write(writing, b".")
    os.close(writing)
    acknowledged = sum(len(os.read(reading, 1)) for _ in range(labels))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    while text := os.read(reading, 1 << 16):
        acknowledged += len(text)
    os.close(reading)
    return acknowledged


def columns(folder: Path, *, replaced: bool) -> Scenario:
    """The columns of a large store, which are mapped into memory."""
    from pcvae import mapped

    given = folder.parents[1] / "given"
    given.mkdir()
    for name in ("new", "old"):
        table = pd.DataFrame({"id": [f"{name}{row}" for row in range(ROWS)], "ra": 1.0})
        table.to_parquet(given / f"{name}.parquet")

    def state() -> object:
        return mapped._read(folder).frame.to_csv()

    old = (lambda: mapped.map_parquet(given / "old.parquet", folder)) if replaced else None
    return Scenario(folder, lambda: mapped.map_parquet(given / "new.parquet", folder), state, old)


def _surveyed(make: Callable[..., Scenario], **options: bool) -> Survey:
    return lambda folder, every: survey(make(folder / "made" / "out", **options), every)


SCENARIOS: dict[str, Survey] = {
    "simulate": _surveyed(simulate),
    "cutouts": _surveyed(cutouts),
    "sample": _surveyed(sample, gaps=False, replaced=False),
    "sample-with-gaps": _surveyed(sample, gaps=True, replaced=False),
    "sample-replaced": _surveyed(sample, gaps=True, replaced=True),
    "ingest": _surveyed(ingest),
    "orientation": _surveyed(orientation),
    "catalogue": _surveyed(catalogue, replaced=False),
    "catalogue-replaced": _surveyed(catalogue, replaced=True),
    "run": _surveyed(run, replaced=False),
    "run-replaced": _surveyed(run, replaced=True),
    "store": _surveyed(store, replaced=False),
    "store-replaced": _surveyed(store, replaced=True),
    "encode": _surveyed(encode),
    "bricks": _surveyed(bricks),
    "embedding": _surveyed(embedding, replaced=False),
    "embedding-replaced": _surveyed(embedding, replaced=True),
    "projection": _surveyed(projection),
    "columns": _surveyed(columns, replaced=False),
    "columns-replaced": _surveyed(columns, replaced=True),
    "report": _surveyed(report, replaced=False),
    "report-replaced": _surveyed(report, replaced=True),
    "journal": journal,
}
