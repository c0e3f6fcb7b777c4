"""The table that a person has chosen to export: labels, the selection or a list."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from astropy.table import Table

from dashboard.backend.datastore import DataStore
from dashboard.export.choices import LABELS, LIST, SELECTION
from dashboard.export.tables import labelled, list_table, provenance, selection, trust_facts
from dashboard.selection.masks import rows_in_focus
from dashboard.state import State

__all__ = ["ChosenTable", "table_maker"]


class ChosenTable(NamedTuple):
    """A table to export.

    Args:
        table: Its rows, with units and descriptions.
        facts: Its provenance, by keyword.
        name: A name for a file, without an ending.
    """

    table: Table
    facts: Mapping[str, str]
    name: str


def table_maker(datastore: DataStore, state: State, what: str) -> Callable[[], ChosenTable]:
    """A function that makes a table for a worker, with the current choices of a session.

    Args:
        datastore: The galaxies.
        state: The session.
        what: ``labels``, ``selection`` or ``list``.
    """
    model, listed, rows = state.model, state.shown_list, rows_in_focus(state)

    def named(table: Table, name: str, title: str) -> ChosenTable:
        sample = datastore.store.info.sample
        facts = provenance(datastore, model, f"{title} of {sample}")
        facts |= trust_facts(datastore, model, table)
        return ChosenTable(table, facts, f"{sample}-{name}")

    if what == LIST and listed is not None:
        learnt = datastore.classifier_jobs.learnt(state.space, state.queue.training_labels)
        name = f"{listed.tab}-{len(listed.rows)}"
        return lambda: named(list_table(datastore, model, listed, learnt), name, listed.title)
    if what == SELECTION:
        return lambda: named(selection(datastore, model, rows), what, what)
    return lambda: named(labelled(datastore, model), LABELS, LABELS)
