"""Which galaxies of a catalogue are in a store that is not whole yet, and which are left out."""

from pathlib import Path

import pandas as pd

from pcvae.folders import partial_folder
from pcvae.parts import write_table

__all__ = ["TakenRows", "carry_left_out"]


def carry_left_out(work: Path, earlier: Path, taken: pd.Series) -> None:
    """Add what was left out earlier to an unfinished folder's table, but what is taken now."""
    new, old = (folder / "left_out.csv" for folder in (work, earlier))
    tables = [pd.read_csv(path, dtype=str) for path in (old, new) if path.exists()]
    if tables:
        table = pd.concat(tables).drop_duplicates("id", keep="last")
        table[~table["id"].isin(taken)].to_csv(new, index=False)


class TakenRows:
    """A table a part, on disk before the part's latents, so that a killed call goes on.

    Each has ``row`` (of the candidates), ``north_angle`` [rad], ``reason`` (empty for a galaxy
    that is taken) and ``detail``.

    Args:
        store: The store to be made; its unfinished folder must exist.
    """

    def __init__(self, store: Path) -> None:
        self._work = partial_folder(store)
        self._folder = self._work / "rows"

    def write(self, start: int, table: pd.DataFrame) -> None:
        """Put the part that begins at row ``start`` of the candidates on disk."""
        self._folder.mkdir(exist_ok=True)
        write_table(self._folder / f"{start:012d}.parquet", table)

    def split(self, candidates: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The candidates that are taken, with their ``north_angle``, and those left out.

        A north angle of the catalogue stays where the brick tells none. The latter get
        ``left_out.csv`` in the store: ``id``, ``reason``, ``detail``.
        """
        parts = [pd.read_parquet(path) for path in sorted(self._folder.glob("*.parquet"))]
        table = pd.concat(parts, ignore_index=True)
        rows = table["row"].to_numpy()
        out = table["reason"].ne("").to_numpy()
        galaxies = candidates.iloc[rows[~out]].reset_index(drop=True)
        north = table["north_angle"][~out].reset_index(drop=True)
        galaxies["north_angle"] = north.fillna(galaxies["north_angle"])
        left_out = table.loc[out, ["reason", "detail"]].reset_index(drop=True)
        left_out.insert(0, "id", candidates["id"].to_numpy()[rows[out]])
        left_out.to_csv(self._work / "left_out.csv", index=False)
        return galaxies, left_out
