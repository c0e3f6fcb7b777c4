"""Galaxies by a condition that is typed, such as ``redshift > 0.2 and g - r < 0.3``.

A condition compares numbers (latents and their sigmas, columns of the catalogue, magnitudes by
the names of the bands) and texts (``label``, ``population``, ``survey``, ``split``, ``id``), and
joins comparisons by ``and``, ``or`` and ``not``. It is read as Python's grammar and computed here,
node by node: nothing else of Python can be called.
"""

import ast
import operator
import re
import sys
from collections.abc import Callable
from concurrent.futures import Future
from difflib import get_close_matches
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dashboard.backend.classifier_jobs import TrainingLabels
from dashboard.backend.datastore import DataStore, labels_by_row
from dashboard.backend.jobs import when_done
from dashboard.backend.quantities import colours_of
from dashboard.selection.masks import select
from dashboard.state import Query, Space, State
from pcvae.errors import PcvaeError
from pcvae.scan import slices

__all__ = ["QueryError", "is_query", "matches", "select_by_query"]

LONGEST, MOST = 400, 120  # letters and nodes of a condition
SOUGHT = re.compile(r"[<>=]")
TEXTS = ("id", "population", "survey", "split")
PART = 1 << 20  # galaxies looked at together
COMPARED: dict[type, Callable[..., object]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip
COMBINED: dict[type, Callable[..., NDArray[np.float64]]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}  # fmt: skip
FORM = 'a condition such as redshift > 0.2 and g - r < 0.3, or label == "candidate"'

Column = NDArray[np.generic]


class QueryError(PcvaeError):
    """A condition cannot be read, or names what the store has not."""


def is_query(text: str) -> bool:
    """Whether a text is meant as a condition: ids and places have no comparison in them."""
    return bool(SOUGHT.search(text))


def matches(
    datastore: DataStore, space: Space, training_labels: TrainingLabels, text: str
) -> NDArray[np.bool_]:
    """Which galaxies fulfil a condition, (N,); where a number is unknown, it is not fulfilled.

    Args:
        datastore: The galaxies.
        space: The model whose latents are meant, and the features of the classifier.
        training_labels: Those of the classifier whose scores are meant.
        text: The condition.

    Raises:
        QueryError: It cannot be read, or names what is not there.
    """
    if len(text) > LONGEST:
        msg = f"expected at most {LONGEST} letters, found {len(text):,}"
        raise QueryError(msg)
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        msg = f"expected {FORM}, found {text!r}"
        raise QueryError(msg) from error
    if sum(1 for _ in ast.walk(tree)) > MOST:
        msg = f"expected at most {MOST} names, numbers and signs, found more"
        raise QueryError(msg)
    found = np.zeros(len(datastore), bool)
    reader = _Reader(datastore, space, training_labels)
    with np.errstate(all="ignore"):
        for part in slices(0, max(len(found), 1), PART):
            found[part] = reader.truth(tree.body, part)
    datastore.store.release()
    return found


def select_by_query(
    datastore: DataStore, state: State, text: str, say: Callable[[str], None]
) -> None:
    """Select the galaxies that fulfil a condition, in the selection's mode; a worker finds them.

    Args:
        datastore: The galaxies.
        state: Its selection is written.
        text: The condition.
        say: Is told what is wrong, or that none fulfils it; an empty text where some do.
    """
    labels, query = state.queue.training_labels, Query(" ".join(text.split()))
    job = datastore.workers.requests.submit(matches, datastore, state.space, labels, text)

    def show(job: "Future[NDArray[np.bool_]]") -> None:
        if error := job.exception():
            say(f"Not selected: {error}")
        elif job.result().any():
            select(state, job.result(), query=query)
            say("")
        else:
            say(f"No galaxy of this store has {query.text}")

    when_done(job, lambda: show(job))


class _Reader:
    """Computes a condition's parts from the columns of a store, for a part of its rows."""

    def __init__(
        self, datastore: DataStore, space: Space, training_labels: TrainingLabels
    ) -> None:
        self.datastore, self.space, self.training_labels = datastore, space, training_labels
        self._rows = slice(None)

    def truth(self, node: ast.expr, rows: slice) -> NDArray[np.bool_]:
        """Whether each of these rows fulfils a condition."""
        self._rows = rows
        return self._truth(node)

    def _truth(self, node: ast.expr) -> NDArray[np.bool_]:
        """A part that is true or false."""
        if isinstance(node, ast.BoolOp):
            parts = [self._truth(part) for part in node.values]
            join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            return np.asarray(join.reduce(np.broadcast_arrays(*parts)))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return ~self._truth(node.operand)
        if isinstance(node, ast.Compare):
            return self._compared(node)
        msg = f"expected {FORM}, found {ast.unparse(node)}, which compares nothing"
        raise QueryError(msg)

    def _compared(self, node: ast.Compare) -> NDArray[np.bool_]:
        values = [self._value(part) for part in (node.left, *node.comparators)]
        found: NDArray[np.bool_] = np.array(True)
        for operation, first, second in zip(node.ops, values, values[1:], strict=False):
            compare = COMPARED.get(type(operation))
            texts = {isinstance(one, str) or _is_text(one) for one in (first, second)}
            if compare is None or len(texts) > 1:
                msg = f"expected numbers with numbers, texts with texts, in {ast.unparse(node)}"
                raise QueryError(msg)
            known = _known(first) & _known(second)  # NaN != 3 is true, but is not known
            found = found & np.asarray(compare(first, second), bool) & known
        return found

    def _value(self, node: ast.expr) -> "Column | float | str":
        """A part that is a number, a text or a column of either."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            return float(np.clip(node.value, -sys.float_info.max, sys.float_info.max))
        if isinstance(node, ast.Name | ast.Attribute):
            return self._column(ast.unparse(node))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            value = self._number(node.operand)
            return -value if isinstance(node.op, ast.USub) else value
        if isinstance(node, ast.BinOp) and type(node.op) in COMBINED:
            return COMBINED[type(node.op)](self._number(node.left), self._number(node.right))
        msg = f"expected names, numbers, texts and + - * /, found {ast.unparse(node)}"
        raise QueryError(msg)

    def _number(self, node: ast.expr) -> "NDArray[np.floating]":
        value = self._value(node)
        if isinstance(value, str) or _is_text(value):
            msg = f"expected a number, found {ast.unparse(node)}"
            raise QueryError(msg)
        return np.asarray(value, np.float64)

    def _column(self, name: str) -> Column:
        datastore, model = self.datastore, self.space.model
        galaxies, listed = datastore.store.galaxies, colours_of(datastore.store, model)
        keys = {quantity.key: quantity for quantity in reversed(listed)}
        keys |= {quantity.column: quantity for quantity in reversed(listed)}
        if name == "label":
            return self._labels()
        if name in keys:
            return datastore.columns.values(model, keys[name])[self._rows]
        magnitudes = datastore.store.magnitudes
        if name in datastore.store.info.bands and magnitudes is not None:
            return magnitudes[f"mag_{name}"].to_numpy()[self._rows].astype(np.float64)
        if name == "score" or name.startswith("p_"):
            return self._score(name)[self._rows]
        own = name.removeprefix("catalogue.")
        if own in TEXTS and own in galaxies:
            return galaxies[own][self._rows].astype("str").fillna("").to_numpy(object)
        if own in galaxies and galaxies[own].dtype.kind in "fiub":
            return galaxies[own].to_numpy()[self._rows].astype(np.float64)
        known = [*keys, "label", *TEXTS, *datastore.store.info.bands, "score", *map(str, galaxies)]
        near = get_close_matches(name, known, 3) or [q.column for q in listed[:4]]
        msg = f"this store has no {name}; it has {', '.join(dict.fromkeys(near))}"
        raise QueryError(msg)

    def _labels(self) -> NDArray[np.object_]:
        """The last label of each galaxy; empty where nobody gave one."""
        start, stop, _ = self._rows.indices(len(self.datastore))
        found = np.full(stop - start, "", object)
        for row, label in self._label_rows.items():
            if start <= row < stop:
                found[row - start] = label
        return found

    @cached_property
    def _label_rows(self) -> dict[int, str]:
        return labels_by_row(self.datastore)

    def _score(self, name: str) -> Column:
        learnt = self.datastore.classifier_jobs.learnt(self.space, self.training_labels)
        if learnt is None:
            msg = f"{name} is not computed yet: open the Queue, or colour by the anomaly score"
            raise QueryError(msg)
        return learnt.score if name == "score" else learnt.of_class(name.removeprefix("p_"))


def _is_text(value: object) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "O"


def _known(value: object) -> NDArray[np.bool_]:
    if isinstance(value, str) or _is_text(value):
        return np.array(True)
    return np.asarray(np.isfinite(np.asarray(value, np.float64)))
