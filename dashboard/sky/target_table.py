"""The table of a target list: a row a target, with its galaxy in the store."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import param
from numpy.typing import NDArray

from dashboard.backend.typography import DASH, MINUS
from dashboard.components.assets import script, style
from dashboard.components.component import Component
from dashboard.components.css import BASE
from dashboard.sky.coordinates import apart

__all__ = ["PAGE", "TargetTable", "match_summary", "next_matched", "target_items"]

PAGE = 100  # targets that are listed at once


class TargetTable(Component):
    """A page of the list; calls ``on_pick`` or ``on_fetch`` with the place in the list."""

    items = param.List(default=[], item_type=dict, doc="As ``target_items`` makes them.")
    current = param.Integer(default=-1, doc="Which one is stepped to.")
    empty = param.String(default="", doc="What is said where there are none.")

    _stylesheets = [BASE, style(__file__, "target_table.css")]  # noqa: RUF012
    _esm = script(__file__, "target_table.js")

    def __init__(self, calls: Mapping[str, Callable[[int], None]], **params: object) -> None:
        super().__init__(**params)
        self._calls = calls

    def _handle_msg(self, data: dict[str, Any]) -> None:
        shown = {item["n"] for item in self.items}
        for name, call in self._calls.items():
            if data.get(name) in shown:
                call(data[name])


def match_summary(matched: pd.DataFrame) -> str:
    """How many targets are matched and how, and how far off the farthest one is."""
    how = matched["how"].value_counts()
    found = int((matched["row"] >= 0).sum())
    words = f"{found:,} of {len(matched):,} targets are in this store"
    parts = [f"{how[name]:,} by {name}" for name in ("id", "position") if name in how]
    far = matched.loc[matched["how"] == "position", "separation"].max()
    if np.isfinite(far):
        parts.append(f'at most {far:.2f}" off')
    left = len(matched) - found
    return words + (f" ({', '.join(parts)})" if parts else "") + f"; {left:,} are not."


def next_matched(matched: pd.DataFrame, current: int, by: int) -> int | None:
    """The place in the list of the next target that is in the store, or of the one before.

    Args:
        matched: The list, as ``crossmatch.match`` makes it.
        current: The place to start from; -1 is before the first.
        by: 1 for the next one, -1 for the one before.

    Returns:
        The place; None if there is no such target.
    """
    there = np.flatnonzero(matched["row"] >= 0)
    place = int(np.searchsorted(there, current, "right")) if by > 0 else _before(there, current)
    return int(there[place]) if 0 <= place < len(there) else None


def target_items(matched: pd.DataFrame, ids: "pd.Series[str]", page: int) -> list[dict[str, Any]]:
    """The rows of a page of the table.

    Args:
        matched: The list, as ``crossmatch.match`` makes it.
        ids: The ids of the store's galaxies.
        page: The number of the page, of ``PAGE`` targets.
    """
    start = page * PAGE
    targets = matched.iloc[start : start + PAGE].to_dict("records")
    return [_item(start + i, target, ids) for i, target in enumerate(targets)]


def _before(there: NDArray[np.intp], current: int) -> int:
    return int(np.searchsorted(there, current, "left")) - 1


def _item(n: int, target: dict[Any, Any], ids: "pd.Series[str]") -> dict[str, Any]:
    known, row = bool(np.isfinite([target["ra"], target["dec"]]).all()), int(target["row"])
    place = f"{target['ra']:.5f} {target['dec']:+.5f}".replace("-", MINUS) if known else DASH
    separation = float(target["separation"])
    return {
        "n": n,
        "row": row,
        "target": target["id"] or place,
        "place": place,
        "galaxy": str(ids[row]) if row >= 0 else "not in this store",
        "how": target["how"],
        "separation": apart(separation) if np.isfinite(separation) else DASH,
        "fetch": known and row < 0,
    }
