"""The Panel app that shows a latent store; ``panel serve dashboard/app.py --args STORE``."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dashboard.app import Notebook

__all__ = ["explore"]


def explore(store: str | Path) -> "Notebook":
    """The dashboard of a latent store, to be shown in a cell of a notebook.

    Args:
        store: The folder of a store that ``train.encode`` made.

    Returns:
        What the cell shows; its ``selection`` and ``labels`` are DataFrames of the galaxies in
        focus and of what people have labelled, as they are when asked for.

    Raises:
        PcvaeError: The store cannot be shown.
    """
    from dashboard.app import Explorer, Notebook, extend, open_datastore

    extend(inline=True)
    return Notebook(Explorer(open_datastore(Path(store))))
