"""The parts of a sample before they are written: read, cut to size, measured.

Shapes are written with n galaxies, C bands and S x S pixels.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.readers.raw_image import LeftOutError, RawImage, cut_image
from pcvae.cutouts import SampleInfo, SampleWriter
from pcvae.dust import dereddening

__all__ = ["Part", "Source", "cut_part", "measure_part", "measured", "read_parts", "summarise"]


class Part(NamedTuple):
    """A part of the sample: cutouts (n, C, S, S), their rows, and those that are left out."""

    number: int
    flux: NDArray[np.float32]
    rows: pd.DataFrame
    left_out: pd.DataFrame


class Source(Protocol):
    """A source of the images of a catalogue's rows."""

    def read(self, row: int) -> RawImage:
        """The picture of a row.

        Raises:
            LeftOutError: There is none that can be taken.
        """


def read_parts(source: Source, candidates: pd.DataFrame, writer: SampleWriter) -> Iterator[Part]:
    """Read the pictures of one missing part after the other."""
    for number in writer.missing():
        rows = writer.part_rows(number)
        some = candidates.iloc[rows.start : rows.stop]
        yield cut_part(number, some, map(partial(_read, source), rows), writer.info)


def cut_part(
    number: int,
    candidates: pd.DataFrame,
    pictures: Iterable[RawImage | LeftOutError],
    info: SampleInfo,
) -> Part:
    """Cut the pictures of some candidates to the sample's size and scale; undo the dust.

    Args:
        number: Of the part.
        candidates: Its rows.
        pictures: A picture a row, or why there is none.
        info: Bands, size and pixel scale wanted, and the extinction that is undone.
    """
    block = np.empty((len(candidates), *info.shape), np.float32)
    corrections = _corrections(candidates, info)
    taken: list[int] = []
    facts, left_out = [], []
    for row, picture in enumerate(pictures):
        try:
            if isinstance(picture, LeftOutError):
                raise picture
            pixels, origin = cut_image(picture, info.size, info.pixel_scale, info.bands)
        except LeftOutError as error:
            entry = {"id": candidates["id"].iloc[row], "reason": error.reason}
            left_out.append(entry | {"detail": error.detail})
            continue
        block[len(taken)] = pixels * corrections[row][:, None, None]
        taken.append(row)
        facts.append({"resampled_from": origin, "north_angle": picture.north_angle})
    return Part(
        number, block[: len(taken)], _rows(candidates, taken, facts), pd.DataFrame(left_out)
    )


def measured(parts: Iterator[Part], info: SampleInfo, workers: int) -> Iterator[Part]:
    """Measure the parts in ``workers`` processes."""
    from data.pipeline.process_pool import ordered_map

    return ordered_map(partial(measure_part, bands=info.bands, unit=info.unit), parts, workers)


def measure_part(part: Part, bands: Sequence[str], unit: str) -> Part:
    """The part with orientation, shape and fluxes; a table's own go to ``catalog_NAME``."""
    from pcvae.orientation import measure_block

    found = measure_block(part.flux, bands, unit)
    aside = {name: f"catalog_{name}" for name in found if name in part.rows}
    known = [name for name, other in aside.items() if other in part.rows]
    rows = part.rows.drop(columns=known).rename(columns=aside)
    rows = pd.concat([rows, found], axis=1)
    return part._replace(rows=rows)


def summarise(folder: Path, info: SampleInfo) -> None:
    """Print what is in a finished sample, and the next command."""
    from pcvae.cutouts import read_sample
    from pcvae.orientation import NOT_FOUND

    sample = read_sample(folder)
    left_out = pd.read_csv(folder / "left_out.csv")
    scale = f'{info.pixel_scale:.3f}"' if info.pixel_scale else "pixels of unknown size"
    print(f"{folder}: {len(sample)} galaxies, {','.join(info.bands)}, {info.size} px of {scale}")
    if info.extinction:
        median = sample.catalog["ebv"].median()
        print(f"  corrected for the Milky Way's dust: median E(B-V) {median:.3f} mag")
    print(f"  populations: {_counts(sample.catalog['population'])}")
    resampled = int(sample.catalog["resampled_from"].notna().sum())
    lost = int((sample.catalog["orientation_flag"] & NOT_FOUND > 0).sum())
    print(f"  resampled: {resampled}; without a source in the middle: {lost}")
    if len(left_out):
        print(f"  left out: {len(left_out)} ({_counts(left_out['reason'])}), see left_out.csv")
    print(f"next: python -m train.train {folder} data/runs/{info.name}-physics --model physics")


def _corrections(candidates: pd.DataFrame, info: SampleInfo) -> NDArray[np.float64]:
    """The factor of each candidate's fluxes in each band, (n, C)."""
    if not info.extinction:
        return np.ones((len(candidates), len(info.bands)))
    coefficients = [info.extinction[band] for band in info.bands]
    return dereddening(candidates["ebv"].to_numpy(np.float64), coefficients)


def _read(source: Source, row: int) -> RawImage | LeftOutError:
    try:
        return source.read(row)
    except LeftOutError as error:
        return error


def _rows(
    candidates: pd.DataFrame, taken: list[int], facts: list[dict[str, float]]
) -> pd.DataFrame:
    """The rows that are taken, with what their files say; a north angle of the table stays."""
    rows = candidates.iloc[taken].reset_index(drop=True)
    found = pd.DataFrame(facts, columns=["resampled_from", "north_angle"], dtype=np.float64)
    found["north_angle"] = found["north_angle"].fillna(rows["north_angle"])
    return rows.assign(**found)


def _counts(values: pd.Series) -> str:
    return ", ".join(f"{count} {name}" for name, count in Counter(values).most_common())
