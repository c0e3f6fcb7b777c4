"""Tables to export: the catalogue of some galaxies, a model's latents, people's labels."""

from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np
import pandas as pd
from astropy.table import MaskedColumn, Table
from numpy.typing import NDArray

from dashboard.backend.datastore import DataStore
from dashboard.backend.quantities import projections_of
from pcvae.labels import LABELS

__all__ = ["described", "labelled", "provenance", "selection"]

GALAXY = ("id", "ra", "dec", "survey", "population", "split")
SHAPE = ("axis_ratio", "r50")
JUDGED = ("label", "note", "user", "time")
MEANINGS = {
    "id": ("", "Name of the galaxy in the sample"),
    "ra": ("deg", "Right ascension, ICRS"),
    "dec": ("deg", "Declination, ICRS"),
    "survey": ("", "Where it is from"),
    "population": ("", "Population in the sample"),
    "split": ("", "Whether the models trained on it; held_out: rare, never trained on"),
    "axis_ratio": ("", "Axis ratio, as observed"),
    "r50": ("pix", "Radius of half of the light"),
    "recon_error": ("", "Mean squared error a pixel of the reconstruction"),
    "ood": (
        "",
        "Share of training galaxies with a smaller distance: above 0.99 it is unlike them",
    ),
    "ood_distance": ("", "Distance from the training galaxies in the encoder's features"),
    "label": ("", "What it was called in the journal"),
    "note": ("", "What else was said"),
    "user": ("", "Who said so"),
    "time": ("", "When, UTC, ISO 8601"),
}


def provenance(datastore: DataStore, model: str, what: str) -> dict[str, str]:
    """The provenance of a table: store, sample, model, software and date."""
    info, known = datastore.store.info, datastore.store.model(model)
    return {
        "what": what,
        "store": datastore.store.folder.name,
        "store_created": info.created,
        "sample": info.sample,
        "source": info.source,
        "model": f"{model} ({known.kind}, recipe {known.recipe})",
        "models": ", ".join(datastore.models),
        "software": f"pcvae {version('pcvae')}, astropy {version('astropy')}",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def selection(datastore: DataStore, model: str, rows: NDArray[np.intp]) -> Table:
    """Some galaxies: ids, positions, catalogue labels, a model's latents, their projections."""
    galaxies, latents = datastore.store.galaxies, datastore.store.latents(model)
    labels = [name for label in LABELS for name in (label.name, label.error)]
    kept = [name for name in (*GALAXY, *labels, *SHAPE) if name in galaxies]
    known = galaxies[kept].iloc[rows].reset_index(drop=True)
    parts = latents.drop(columns="id"), datastore.store.projections(model)
    inferred = pd.concat([p.iloc[rows] for p in parts if len(p.columns)], axis=1)
    inferred = inferred.reset_index(drop=True)
    inferred = inferred.rename(columns=lambda name: f"{model}_{name}")
    return described(datastore, model, pd.concat([known, inferred], axis=1))


def labelled(datastore: DataStore, model: str) -> Table:
    """All labels, a row a person and galaxy; also of galaxies that are not in this store."""
    events = (
        datastore.journal.table() if datastore.journal else pd.DataFrame(columns=["id", *JUDGED])
    )
    rows = pd.Index(datastore.ids).get_indexer(pd.Index(events["id"]))
    known = selection(datastore, model, np.unique(rows[rows >= 0])).to_pandas()
    merged = events.merge(known, on="id", how="left")
    first = [name for name in (*GALAXY, *JUDGED) if name in merged]
    rest = [name for name in merged if name not in first]
    return described(datastore, model, merged[[*first, *rest]])


def described(datastore: DataStore, model: str, frame: pd.DataFrame) -> Table:
    """A table with units and meanings; unknown numbers are NaN, unknown texts empty."""
    meanings, table = _meanings(datastore, model), Table()
    for name in frame:
        unit, meaning = meanings.get(str(name), ("", ""))
        column = frame[name]
        numbers = pd.api.types.is_numeric_dtype(column)
        values = column.to_numpy() if numbers else column.fillna("").astype(str).to_numpy("U")
        table[str(name)] = MaskedColumn(values, unit=unit or None, description=meaning).filled()
    return table


def _meanings(datastore: DataStore, model: str) -> dict[str, tuple[str, str]]:
    """Unit and description of every possible column."""
    found = dict(MEANINGS)
    for label in LABELS:
        found[label.name] = (label.unit, f"{label.title}, from the catalogue")
        found[label.error] = (label.unit, "Its 1-sigma error, from the catalogue")
    latents = {
        latent.name: (latent.unit, latent.title) for latent in datastore.store.model(model).latents
    }
    latents.setdefault("orientation", ("rad", "Orientation"))
    for name, (unit, title) in latents.items():
        found[f"{model}_{name}"] = (unit, f"{title}, inferred by model {model}")
        found[f"{model}_{name}_sigma"] = (unit, f"Its 1-sigma error, by model {model}")
    for axis in projections_of(datastore.store, model):
        found[f"{model}_{axis.column}"] = "", f"{axis.title} of the latents of model {model}"
    for name in ("recon_error", "ood", "ood_distance"):
        found[f"{model}_{name}"] = MEANINGS[name]
    return found
