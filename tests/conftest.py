"""Example samples and stores, simulated here and written by the project's own writers."""

import gc
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pcvae.cutouts import SampleInfo, SampleWriter, read_sample
from train import encode, train

DEMO = Path(__file__).resolve().parents[1] / "data" / "stores" / "demo"
ROOT = Path(__file__).parent
BANDS = ("g", "r", "z")


def pytest_xdist_auto_num_workers():
    """One more than there are processors, as browser tests wait for most of their time."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_finish():
    """Look for garbage less often, and not in what is imported: it took a fifth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_collection_modifyitems(items):
    """Begin with the slowest folders, so that no process is left alone with them at the end."""
    slow = ROOT / "browser", ROOT / "train"
    items.sort(key=lambda item: not any(item.path.is_relative_to(folder) for folder in slow))


def paint(rng, size=32):
    """A noisy elliptical galaxy (3, size, size) [nanomaggy] and the labels it shows."""
    redshift, log_mass = rng.uniform(0.05, 0.9), rng.uniform(8.5, 11.5)
    phi, ratio = rng.uniform(-np.pi / 2, np.pi / 2), rng.uniform(0.3, 0.95)
    y, x = np.indices((size, size)) - (size - 1) / 2
    along, across = x * np.cos(phi) + y * np.sin(phi), y * np.cos(phi) - x * np.sin(phi)
    profile = np.exp(-np.hypot(along, across / ratio) / 3)
    colour = np.array([0.5 - 0.4 * redshift, 1.0, 1 + redshift])[:, None, None]
    flux = 10 ** (0.5 * (log_mass - 10)) * colour * profile
    labels = {
        "redshift": redshift,
        "redshift_err": 1e-3,
        "log_mass": log_mass,
        "log_mass_err": 0.1,
        "log_sfr": log_mass - 10 + rng.normal(0, 0.1),
        "log_sfr_err": 0.2,
        "orientation": phi,
        "orientation_err": 0.1,
        "axis_ratio": ratio,
        "r50": 5.0,
    }
    return (flux + rng.normal(0, 0.01, flux.shape)).astype(np.float32), labels


def write_sample(folder, n=120, *, unit="nanomaggy", without=(), rare=("red_spiral", "green_pea")):
    """Write a sample of n galaxies; every 9th is a red spiral, every 11th a green pea."""
    rng = np.random.default_rng(1)
    flux, labels = zip(*[paint(rng) for _ in range(n)], strict=True)
    catalog = pd.DataFrame(labels).assign(
        id=[f"g{row:04d}" for row in range(n)],
        ra=rng.uniform(0, 360, n),
        dec=rng.uniform(-10, 30, n),
        population="field",
        survey="test",
    )
    for step, population in zip((9, 11), rare, strict=False):
        catalog.loc[step::step, "population"] = population
    catalog[list(without)] = np.nan
    pixels = np.stack(flux)
    if unit == "stretched":
        pixels = np.clip(pixels / 5, 0, 1)
    info = SampleInfo("example", "simulated for a test", BANDS, 0.262, 32, unit, tuple(rare))
    writer = SampleWriter(folder, info, n, {})
    for part in writer.missing():
        rows = writer.part_rows(part)
        writer.write(part, pixels[rows.start : rows.stop], catalog.iloc[rows.start : rows.stop])
    writer.finish()
    return read_sample(folder)


@pytest.fixture(scope="session")
def make_sample():
    """``write_sample``."""
    return write_sample


@pytest.fixture(scope="session")
def sample(make_sample, tmp_path_factory):
    """A sample of 120 galaxies."""
    return make_sample(tmp_path_factory.mktemp("sample") / "example")


@pytest.fixture(scope="session")
def runs(sample, tmp_path_factory):
    """A physics and a vanilla run of one epoch on ``sample``."""
    folder = tmp_path_factory.mktemp("runs")
    common = ["--epochs", "1", "--device", "cpu"]
    for model in ("physics", "vanilla"):
        train.main([str(sample.folder), str(folder / model), "--model", model, *common])
    return {model: folder / model for model in ("physics", "vanilla")}


@pytest.fixture(scope="session")
def make_store(make_sample, runs, tmp_path_factory):
    """Write a store of n galaxies, encoded by ``runs`` or some of them; options as make_sample."""

    def make(n=120, *, models=("physics", "vanilla"), stamps=True, **options):
        folder = tmp_path_factory.mktemp("store")
        made = make_sample(folder / "sample", n, **options)
        named = [text for name in models for text in ("--run", f"{name}={runs[name]}")]
        extra = [] if stamps else ["--no-stamps"]
        return encode.main([str(made.folder), str(folder / "store"), *named, *extra])

    return make


@pytest.fixture(scope="session")
def store(make_store):
    """The folder of a store of 120 galaxies seen by both models."""
    return make_store()


@pytest.fixture
def folder(request, tmp_path):
    """A copy of the demo's store, or of an example where there is none; its journal is empty."""
    demo = Path(os.environ.get("PCVAE_DEMO_STORE", DEMO))
    found = demo if (demo / "store.json").exists() else request.getfixturevalue("store")
    return shutil.copytree(found, tmp_path / "store")


@pytest.fixture(scope="session")
def examples(store, tmp_path_factory):
    """The folder of each example store."""
    from tests.dashboard.explorers import EXAMPLES, change

    folder = tmp_path_factory.mktemp("examples")
    return {
        name: change(store, folder / name.replace(" ", "-"), **options)
        for name, options in EXAMPLES.items()
    }
