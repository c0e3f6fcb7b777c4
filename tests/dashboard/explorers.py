"""Sessions of the dashboard without a browser, and stores of every kind for them."""

import json
import shutil

import holoviews as hv
import numpy as np
import pandas as pd
import zarr

from dashboard.app import Explorer, open_datastore
from dashboard.backend.datastore import DataStore
from pcvae.journal import Journal
from pcvae.store import read_store

LABELS = ["redshift", "log_mass", "log_sfr", "orientation"]


def code_of(row, size=32):
    """A stamp that encodes its own row: two flat colours."""
    stamp = np.zeros((size, size, 3), np.uint8)
    stamp[: size // 2], stamp[size // 2 :] = (row % 256, 0, 0), (0, row // 256 + 100, 0)
    return stamp


def change(store, folder, rows=slice(None), *, models=None, stamps=True, **columns):
    """Copy a store with some of its galaxies, models and columns changed."""
    shutil.copytree(store, folder)
    galaxies = pd.read_parquet(folder / "galaxies.parquet").iloc[rows].assign(**columns)
    galaxies.to_parquet(folder / "galaxies.parquet", index=False)
    for path in (folder / "latents").glob("*.parquet"):
        pd.read_parquet(path).iloc[rows].to_parquet(path, index=False)
    facts = json.loads((folder / "store.json").read_text())
    facts["models"] = [one for one in facts["models"] if one["name"] in (models or one["name"])]
    facts["stamp_stretch"] = facts["stamp_stretch"] if stamps else None
    (folder / "store.json").write_text(json.dumps(facts))
    shutil.rmtree(folder / "stamps.zarr")
    if stamps:
        coded = np.array([code_of(row) for row in range(len(galaxies))], np.uint8)
        coded = coded.reshape(-1, 32, 32, 3)
        array = zarr.create_array(folder / "stamps.zarr", shape=coded.shape, dtype="u1")
        array[:] = coded
    return folder


EXAMPLES = {
    "many": {},
    "none": {"rows": slice(0)},
    "one": {"rows": slice(1)},
    "few": {"rows": slice(3)},
    "two rare ones": {"rows": [9, 11]},
    "no labels": dict.fromkeys(LABELS, np.nan),
    "nothing rare": {"population": "field"},
    "unknown populations": {"population": [f"kind {row % 14}" for row in range(120)]},
    "vanilla only": {"models": ["vanilla"]},
    "no stamps": {"stamps": False},
    "no place": {"ra": np.nan, "dec": np.nan},
}


def begin(folder, journal=None, user="ana"):
    """A session of a store; with the path of a journal, of that person on it."""
    datastore = open_datastore(folder) if journal is None else datastore_of(folder, journal, user)
    session = Explorer(datastore)
    session.start()
    return session


def datastore_of(folder, journal, user="ana"):
    """A store and a person's journal."""
    return DataStore(read_store(folder), Journal(journal, user=user))


def draw(session):
    """Render the map, as a browser would have it done."""
    return hv.render(session.map.figure)
