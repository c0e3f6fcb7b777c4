"""Tagging galaxies in the journal, and taking the tags away as a table."""

import io

import panel as pn

from dashboard.source import CANDIDATE, Source
from dashboard.state import State
from pcvae.errors import JournalError

__all__ = ["csv_of", "is_candidate", "refresh", "toggle"]

FROM_STORE = ("ra", "dec", "population", "redshift", "log_mass", "log_sfr")


def is_candidate(source: Source, row: int) -> bool:
    """Whether that galaxy is tagged."""
    return str(source.ids[row]) in source.labels()


def toggle(source: Source, state: State, row: int | None = None) -> None:
    """Tag a galaxy, the picked one by default, or take its tag away.

    The state learns of it once the journal has it on disk.
    """
    row = state.row if row is None else row
    if row is None or source.journal is None:
        return
    galaxy, user = str(source.ids[row]), pn.state.user or None
    try:
        if is_candidate(source, row):
            source.journal.untag(galaxy, user=user)
        else:
            source.journal.tag(galaxy, CANDIDATE, user=user)
        state.param.update(revision=source.journal.last(), trouble="")
    except JournalError as error:
        state.trouble = f"Not saved: {error}"


def refresh(source: Source, state: State) -> None:
    """Learn of what other people and other processes have written."""
    if source.journal is not None:
        try:
            state.revision = source.journal.last()
        except JournalError as error:
            state.trouble = str(error)


def csv_of(source: Source) -> io.BytesIO:
    """All labels with the catalogue's facts and where they come from, as CSV."""
    labels = source.journal.table() if source.journal else None
    if labels is None:
        return io.BytesIO(b"")
    galaxies = source.store.galaxies
    known = galaxies[["id", *(name for name in FROM_STORE if name in galaxies)]]
    table = labels.merge(known, on="id", how="left").assign(
        sample=source.store.info.sample, store=source.store.folder.name
    )
    return io.BytesIO(table.to_csv(index=False).encode())
