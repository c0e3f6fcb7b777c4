"""A dossier: what is known of some candidates, for a proposal. No drawing here."""

import hashlib
import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.backend.classifier_jobs import ClassifierResult
from dashboard.backend.datastore import DataStore
from dashboard.backend.plane import Limits, Plane
from dashboard.backend.populations import population_title
from dashboard.export.finder_chart import FinderChart, finder_chart
from dashboard.export.tables import photometry_of, provenance, sexagesimal
from dashboard.galaxy.external_galaxy import NO_NETWORK, has_network
from dashboard.galaxy.property_table import Property, properties_of
from dashboard.galaxy.reconstruction import Reconstruction, reconstruction_of
from dashboard.plotting.colour_by import colouring
from dashboard.plotting.layers import galaxy_picture
from dashboard.plotting.raster import Canvas
from dashboard.state import DENSITY, GalaxyList, Space
from pcvae.journal import Event

__all__ = [
    "MAX_CANDIDATES",
    "Candidate",
    "Dossier",
    "MapPicture",
    "Request",
    "Tell",
    "collect_dossier",
]

MAX_CANDIDATES = 50  # of a dossier: 25 pages of candidates
MAP_SIZE = (1000, 660)  # pixels across and up of the map
ROOM = 0.04  # of the map's range, beyond the outermost candidate
SIMULATED = "These galaxies are simulated: there is nothing to observe at their places."
CORRECTED = "Magnitudes are asinh AB magnitudes of the catalogue's fluxes"

Tell = Callable[[str, float], None]
"""Reports what is being done, and which share of all is; raises if it is cancelled."""


class Request(NamedTuple):
    """What a dossier is asked for.

    Args:
        listed: The candidates, in their order.
        plane: Model, horizontal and vertical axis of the map; the model is whose latents and
            reconstructions are shown.
        address: The address of the page that shows them; empty where there is none.
        learnt: What the classifier says of all galaxies; None if it has not been fitted.
    """

    listed: GalaxyList
    plane: tuple[str, str, str]
    address: str = ""
    learnt: ClassifierResult | None = None


class Candidate(NamedTuple):
    """What is known of one candidate.

    Args:
        rank: Its place in the list, from 1.
        row: Its row in the store.
        galaxy: Its id.
        designation: Its name by position; empty where it has no place.
        place: Right ascension and declination in sexagesimal digits; empty likewise.
        population: Its population in the sample.
        scores: What ranks it, score and probabilities: name and number each.
        magnitudes: Magnitudes and colours: name and number each, NaN where unknown.
        properties: The labels, as catalogue and model have them.
        said: What people say of it, oldest first.
        stamp: Its image (S, S, 3), row 0 at the bottom; None where the store has none.
        view: Its reconstruction; None where there is none, and ``why`` says why.
        why: Why something is missing; empty if nothing is.
        chart: Its finder chart.
    """

    rank: int
    row: int
    galaxy: str
    designation: str
    place: tuple[str, str] | None
    population: str
    scores: tuple[tuple[str, float], ...]
    magnitudes: tuple[tuple[str, float], ...]
    properties: tuple[Property, ...]
    said: tuple[Event, ...]
    stamp: NDArray[np.uint8] | None
    view: Reconstruction | None
    why: str
    chart: FinderChart


class MapPicture(NamedTuple):
    """The whole sample on a map, as a picture.

    Args:
        plane: Its axes, and where each galaxy lies.
        limits: Its ranges, which hold all candidates.
        picture: The density of the galaxies, (H, W, 4), row 0 at the bottom.
    """

    plane: Plane
    limits: Limits
    picture: NDArray[np.uint8]


class Dossier(NamedTuple):
    """All that a dossier holds.

    Args:
        title: What the candidates are.
        facts: Its provenance: name and text each.
        notes: Sentences that a reader must know.
        model: The model whose latents and reconstructions it shows.
        bands: The bands of the images.
        field: The width of the images [arcsec]; None if unknown.
        map: The map on which the candidates are marked.
        candidates: The candidates in their order.
        names: The ids of other galaxies on the finder charts, by their rows.
    """

    title: str
    facts: dict[str, str]
    notes: tuple[str, ...]
    model: str
    bands: tuple[str, ...]
    field: float | None
    map: MapPicture
    candidates: tuple[Candidate, ...]
    names: dict[int, str]

    def scale_of(self, size: int) -> float | None:
        """Arcsec a pixel of an image of so many pixels; None if unknown."""
        return self.field / size if self.field and size else None


def collect_dossier(datastore: DataStore, request: Request, tell: Tell) -> Dossier:
    """Collect what is known of the candidates; for a worker.

    Args:
        datastore: The galaxies.
        request: Which of them.
        tell: Is told of the progress.
    """
    listed, model, info = request.listed, request.plane[0], datastore.store.info
    total = len(listed.rows)
    tell("reading the model", 0.0)
    known = _known(datastore, request)
    made = []
    for place in range(total):
        tell(f"candidate {place + 1} of {total}", place / total)
        made.append(_candidate(datastore, model, known[place], place + 1))
    others = {other.row for one in made for other in (*one.chart.neighbours, one.chart.nearest)
              if other is not None}  # fmt: skip
    return Dossier(
        _title(datastore, listed),
        _facts(datastore, request),
        _notes(datastore),
        model,
        info.bands,
        (info.pixel_scale or 0.0) * info.size or None,
        _map_of(datastore, request),
        tuple(made),
        {row: str(datastore.ids[row]) for row in sorted(others)},
    )


def _map_of(datastore: DataStore, request: Request) -> MapPicture:
    """The plane's first view, widened so that it holds all candidates."""
    plane = datastore.columns.plane(*request.plane)
    places = plane.points.iloc[request.listed.rows]
    x, y = (_widened(places[name], ends) for name, ends in zip("xy", plane.limits, strict=True))
    chosen = colouring(datastore, Space(request.plane[0]), DENSITY, dark=False)
    canvas = Canvas(x, y, *MAP_SIZE)
    return MapPicture(plane, (x, y), galaxy_picture(plane, canvas, chosen, None, dark=False))


def _widened(values: pd.Series, ends: tuple[float, float]) -> tuple[float, float]:
    """A range that holds these values too, with some room beyond them; NaN counts for nothing."""
    low, high = ends
    room = ROOM * (high - low)
    finite = values[np.isfinite(values)]
    low = min(low, float(finite.min()) - room) if len(finite) else low
    return low, max(high, float(finite.max()) + room) if len(finite) else high


class _Known(NamedTuple):
    """What tables say of a candidate."""

    row: int
    designation: str
    place: tuple[str, str] | None
    scores: tuple[tuple[str, float], ...]
    magnitudes: tuple[tuple[str, float], ...]


def _known(datastore: DataStore, request: Request) -> list[_Known]:
    """What tables say of each candidate: its place, scores and magnitudes."""
    rows = request.listed.rows
    places = sexagesimal(datastore.store.galaxies.iloc[rows]).to_dict("records")
    scores = _pairs(pd.DataFrame(_scores(request), index=range(len(rows))))
    photometry = photometry_of(datastore, rows)
    ordered = sorted(map(str, photometry), key=lambda name: not name.startswith("mag_"))
    titles = {name: name.removeprefix("mag_") for name in ordered}
    magnitudes = _pairs(photometry[ordered].rename(columns=titles))
    made = []
    for place, row in enumerate(rows.tolist()):
        found = places[place] if places else {}
        name = str(found.get("designation", ""))
        digits = (str(found["ra_hms"]), str(found["dec_dms"])) if name else None
        made.append(_Known(row, name, digits, scores[place], magnitudes[place]))
    return made


def _scores(request: Request) -> dict[str, NDArray[np.generic]]:
    """What ranks the candidates, score and probabilities, by their titles."""
    listed, learnt = request.listed, request.learnt
    found = {name: values for name, values in listed.columns.items() if values.dtype.kind in "fiu"}
    if learnt is not None:
        found.setdefault("anomaly_score", learnt.score[listed.rows])
        for place, name in enumerate(learnt.classes):
            found.setdefault(f"p_{name}", learnt.probability[listed.rows, place])
    return {_score_title(name): values for name, values in found.items()}


def _pairs(table: pd.DataFrame) -> list[tuple[tuple[str, float], ...]]:
    """The name and number of each column, a row each."""
    names = [str(name) for name in table]
    columns = [table[name].tolist() for name in names]
    return [tuple((n, c[row]) for n, c in zip(names, columns, strict=True))
            for row in range(len(table))]  # fmt: skip


def _score_title(name: str) -> str:
    """The title of a number that ranks galaxies.

    Example:
        >>> _score_title("p_green_pea"), _score_title("anomaly_score")
        ('P(Green Pea)', 'Anomaly score')
    """
    if name.startswith("p_"):
        return f"P({population_title(name.removeprefix('p_'))})"
    return population_title(name)


def _candidate(datastore: DataStore, model: str, known: _Known, rank: int) -> Candidate:
    row = known.row
    galaxy = str(datastore.ids[row])
    view, why = None, NO_NETWORK
    if has_network(datastore, model):
        view, why = reconstruction_of(datastore, model, row, dark=False)
    stamp = datastore.stamp(row)
    tied = [shown for shown in properties_of(datastore, model, row) if not shown.free]
    return Candidate(
        rank,
        row,
        galaxy,
        known.designation,
        known.place,
        population_title(datastore.populations.names[row] or "unknown"),
        known.scores,
        known.magnitudes,
        tuple(tied),
        tuple(event for event in datastore.label_table.active if event.galaxy == galaxy),
        stamp,
        view,
        why or ("" if stamp is not None else "The store has no stamps"),
        finder_chart(datastore, row),
    )


def _title(datastore: DataStore, listed: GalaxyList) -> str:
    count = len(listed.rows)
    some = "1 candidate" if count == 1 else f"{count:,} candidates"
    return f"{some} of {datastore.store.info.sample}: {listed.title}"


def _notes(datastore: DataStore) -> tuple[str, ...]:
    """What a reader must know of all candidates."""
    info, notes = datastore.store.info, []
    if "simulated" in info.source.lower():
        notes.append(SIMULATED)
    if datastore.store.photometry is not None:
        dust = {"corrected": ", corrected for the Milky Way's dust",
                "left": ", not corrected for the Milky Way's dust"}.get(info.dust, "")  # fmt: skip
        notes.append(f"{CORRECTED}{dust}.")
    notes.append(
        "Charts show what the sample holds: other galaxies of the sample are circled, stars and "
        "galaxies that it lacks are not shown. Places are ICRS."
    )
    return tuple(notes)


def _facts(datastore: DataStore, request: Request) -> dict[str, str]:
    """Sample, run, versions, checksums and the address of the page."""
    store, model = datastore.store, request.plane[0]
    facts = provenance(datastore, model, request.listed.title)
    facts.pop("models")
    folder = store.model_folder(model)
    facts |= _run_facts(folder / "run.json")
    facts["software"] += "".join(f", {name} {version(name)}" for name in ("numpy", "matplotlib"))
    files = {
        "store.json": store.folder / "store.json",
        "galaxies.parquet": store.folder / "galaxies.parquet",
        f"latents of {model}": store.latents_path(model),
        f"weights of {model}": folder / "model.safetensors",
    }
    sums = {f"SHA-256 of {name}": sha256(path) for name, path in files.items() if path.is_file()}
    return facts | sums | ({"view": request.address} if request.address else {})


def _run_facts(path: Path) -> dict[str, str]:
    """The run of a model; nothing for one that was made elsewhere."""
    if not path.is_file():
        return {}
    run = json.loads(path.read_text(encoding="utf-8"))
    epoch = run.get("epoch") or ("?", "?")
    packages = ", ".join(f"{name} {text}" for name, text in run.get("packages", {}).items())
    facts = {
        "run": f"epoch {epoch[0]} of {epoch[1]}, seed {run.get('seed')}, {run.get('created')}",
        "run_command": str(run.get("command", "")),
        "run_software": packages,
        "commit": str(run.get("commit", "")),
        "sample_checksum": str(run.get("checksum", "")),
    }
    return {name: text for name, text in facts.items() if text}


def sha256(path: Path) -> str:
    """The SHA-256 checksum of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
