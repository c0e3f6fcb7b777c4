"""Tables to export: the catalogue of some galaxies, a model's latents, people's labels."""

from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np
import pandas as pd
from astropy.table import MaskedColumn, Table
from numpy.typing import NDArray

from dashboard.backend.classifier_jobs import ClassifierResult
from dashboard.backend.datastore import DataStore, last_labels
from dashboard.backend.label_trust import trust_words
from dashboard.backend.populations import population_title
from dashboard.backend.quantities import projections_of
from dashboard.state import GalaxyList
from pcvae.label_classes import SCORES
from pcvae.labels import LABELS
from pcvae.mapped import plain

__all__ = ["described", "labelled", "list_table", "provenance", "selection", "trust_facts"]

GALAXY = ("id", "ra", "dec", "survey", "population", "split")
SHAPE = ("axis_ratio", "r50")
JUDGED = ("label", "score", "note", "user", "time")
MEANINGS = {
    "id": ("", "Name of the galaxy in the sample"),
    "ra": ("deg", "Right ascension, ICRS"),
    "dec": ("deg", "Declination, ICRS"),
    "survey": ("", "Where it is from"),
    "population": ("", "Population in the sample"),
    "split": ("", "Whether the models trained on it; held_out: rare, never trained on"),
    "ra_hms": ("", "Right ascension, ICRS, hours:minutes:seconds"),
    "dec_dms": ("", "Declination, ICRS, degrees:minutes:seconds"),
    "designation": ("", "Name by position, digits cut; to be used behind an acronym"),
    "rank": ("", "Place in the list"),
    "distance": ("", "Distance to the picked galaxy, in the features that are searched"),
    "density": ("", "Density of the seeds where the galaxy lies"),
    "seeds": ("", "How many seeds have it among their nearest"),
    "anomaly_score": ("", "1 - P(normal) of the classifier"),
    "margin": ("", "How far beyond the boundary of the normal galaxies; negative on their side"),
    "target": ("", "Name in the target list"),
    "matched_by": ("", "Whether it is the target by id or by position"),
    "separation": ("arcsec", "Separation from the target"),
    "axis_ratio": ("", "Axis ratio, as observed"),
    "r50": ("pix", "Radius of half of the light"),
    "recon_error": ("", "Mean squared error a pixel of the reconstruction"),
    "ood": (
        "",
        "Share of training galaxies with a smaller distance: above 0.99 it is unlike them",
    ),
    "ood_distance": ("", "Distance from the training galaxies in the encoder's features"),
    "label": ("", "What it was called in the journal; its score where it has no name"),
    "score": ("", "Its score, 0 to 5"),
    "note": ("", "What else was said"),
    "said": ("", "Who says what of it"),
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
        "dust": f"the Milky Way's, in the fluxes: {info.dust}",
        "model": f"{model} ({known.kind}, recipe {known.recipe})",
        "models": ", ".join(datastore.models),
        "software": f"pcvae {version('pcvae')}, astropy {version('astropy')}",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def trust_facts(datastore: DataStore, model: str, table: Table) -> dict[str, str]:
    """How far the labels can be trusted: for the galaxies of a table, and what is known off."""
    mask = np.zeros(len(datastore), bool)
    rows = datastore.rows_of(np.asarray(table["id"]).tolist())
    mask[rows[rows >= 0]] = True
    of_all = datastore.trust.by_population(model).result()
    return trust_words(datastore.trust.judge(model, mask), of_all)


def selection(datastore: DataStore, model: str, rows: NDArray[np.intp]) -> Table:
    """Some galaxies: ids, positions, catalogue labels, a model's latents, their projections."""
    galaxies, latents = datastore.store.galaxies, datastore.store.latents(model)
    labels = [name for label in LABELS for name in (label.name, label.error)]
    kept = [name for name in (*GALAXY, *labels, *SHAPE) if name in galaxies]
    known = plain(galaxies[kept].iloc[rows].reset_index(drop=True))
    parts = latents.drop(columns="id"), datastore.store.projections(model)
    inferred = pd.concat([p.iloc[rows] for p in parts if len(p.columns)], axis=1)
    inferred = inferred.reset_index(drop=True)
    inferred = inferred.rename(columns=lambda name: f"{model}_{name}")
    found = [known, photometry_of(datastore, rows), inferred]
    return described(datastore, model, pd.concat(found, axis=1))


def sexagesimal(galaxies: pd.DataFrame) -> pd.DataFrame:
    """Places as text, and designations by them; empty where a galaxy has no place.

    Digits of a designation are cut, not rounded, as the IAU asks.

    Reference: https://cdsweb.u-strasbg.fr/Dic/iau-spec.html
    """
    if not {"ra", "dec"} <= set(galaxies):
        return pd.DataFrame(index=galaxies.index)
    from astropy.coordinates import Angle

    known = galaxies["ra"].notna() & galaxies["dec"].notna()
    ra, dec = (
        Angle(galaxies.loc[known, name].to_numpy(np.float64), "deg") for name in ("ra", "dec")
    )
    found = pd.DataFrame("", index=galaxies.index, columns=["ra_hms", "dec_dms", "designation"])
    found.loc[known, "ra_hms"] = ra.to_string("hour", sep=":", precision=2, pad=True)
    found.loc[known, "dec_dms"] = dec.to_string(
        "deg", sep=":", precision=1, pad=True, alwayssign=True
    )
    found.loc[known, "designation"] = [
        f"J{_cut(hours / 15, 2, 2)}{'-' if degrees < 0 else '+'}{_cut(abs(degrees), 2, 1)}"
        for hours, degrees in zip(ra.deg, dec.deg, strict=True)
    ]
    return found


def _cut(value: float, width: int, places: int) -> str:
    """Hours or degrees as digits of a designation: no separators, no rounding.

    Example:
        >>> _cut(10.20041, 2, 2), _cut(2.2178, 2, 1)
        ('101201.47', '021304.0')
    """
    ticks = int(value * 3600 * 10**places + 1e-6)
    seconds, rest = divmod(ticks, 10**places)
    minutes, second = divmod(seconds, 60)
    whole, minute = divmod(minutes, 60)
    return f"{whole:0{width}d}{minute:02d}{second:02d}.{rest:0{places}d}"


def photometry_of(datastore: DataStore, rows: NDArray[np.intp]) -> pd.DataFrame:
    """Magnitudes and colours of some galaxies, a row a galaxy; no column where there are none."""
    known = datastore.store.photometry
    if known is None:
        return pd.DataFrame(index=range(len(rows)))
    kept = [name for name in known if name not in ("log r50", "axis ratio")]
    found = known[kept].iloc[rows].reset_index(drop=True)
    return found.rename(columns=lambda name: f"mag_{name}" if "-" not in name else name)


def list_table(
    datastore: DataStore,
    model: str,
    listed: GalaxyList,
    learnt: ClassifierResult | None = None,
) -> Table:
    """A list of galaxies, in its order: what ranks them first, then all that is known of them.

    Args:
        datastore: The galaxies.
        model: The model whose latents are in the table.
        listed: The list.
        learnt: What the classifier says of all galaxies, if it has been fitted.
    """
    rows = listed.rows
    table = selection(datastore, model, rows).to_pandas()
    first: dict[str, object] = {"rank": np.arange(1, len(rows) + 1)}
    first |= dict(listed.columns)
    if learnt is not None:
        first.setdefault("anomaly_score", learnt.score[rows])
        for place, name in enumerate(learnt.classes):
            first[f"p_{name}"] = learnt.probability[rows, place]
    first.setdefault("label", last_labels(datastore, rows))
    found = pd.DataFrame(first)
    rest = table.drop(columns=["id", *(set(found) & set(table))])
    parts = [table[["id"]], found, sexagesimal(table), rest]
    return described(datastore, model, pd.concat(parts, axis=1))


def labelled(datastore: DataStore, model: str) -> Table:
    """All labels, a row a person and galaxy; also of galaxies that are not in this store."""
    events = (
        datastore.journal.table() if datastore.journal else pd.DataFrame(columns=["id", *JUDGED])
    )
    alone = events["label"].isin(SCORES)
    events["score"] = events["score"].mask(alone, events["label"])
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
    for name in datastore.populations.all:
        found[f"p_{name}"] = "", f"Probability of {population_title(name)} by the classifier"
    known = datastore.store.photometry
    for feature in () if known is None else map(str, known):
        key = feature if "-" in feature else f"mag_{feature}"
        found[key] = "mag", f"Magnitude or colour {feature}, asinh, AB"
    for name in ("recon_error", "ood", "ood_distance"):
        found[f"{model}_{name}"] = MEANINGS[name]
    return found
