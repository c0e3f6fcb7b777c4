"""What a dropped file is: a list of targets, or images of a galaxy."""

from collections.abc import Callable, Sequence

from dashboard.components.drop_zone import DropZone
from dashboard.components.file_input import Upload, UploadError
from dashboard.galaxy.add_galaxy import AddGalaxy
from dashboard.sky.target_list import TargetList
from dashboard.state import State

__all__ = ["drop_zone", "is_table", "take_files"]

WORDS = (
    "A FITS cutout or a picture is encoded and put on the map; a table of targets is matched "
    "with the store"
)
TABLES = (".csv", ".ecsv", ".vot", ".xml", ".votable", ".parquet", ".pq")
FITS = (".fits", ".fit")


def is_table(file: Upload) -> bool:
    """Whether a file is meant as a list of targets.

    A FITS file is one if it has a table that is no compressed image.

    Example:
        >>> is_table(Upload("a.csv", b"")), is_table(Upload("a.png", b""))
        (True, False)
    """
    name = file.name.lower()
    if name.endswith(FITS):
        tables = (b"XTENSION= 'BINTABLE'", b"XTENSION= 'TABLE   '")
        found = any(card in file.content for card in tables)
        return found and b"ZIMAGE  =" not in file.content
    return name.endswith(TABLES)


def take_files(
    files: Sequence[Upload], state: State, add_galaxy: AddGalaxy, targets: TargetList
) -> None:
    """Hand files to the upload of a galaxy, or a table to the target list."""
    tables = [file for file in files if is_table(file)]
    if not tables:
        add_galaxy.take(files)
    elif len(files) == 1:
        add_galaxy.panel.visible = False
        state.param.update(tab=targets.key, page="explore")
        targets.upload(tables[0])
    else:
        add_galaxy.fail(
            UploadError(
                f"expected one table, or the images of one galaxy; found {len(files)} files, "
                f"of which {len(tables)} are tables"
            )
        )


def drop_zone(take: Callable[[Sequence[Upload]], None], add_galaxy: AddGalaxy) -> DropZone:
    """The component that hands over the files that are dropped on the page.

    Args:
        take: Takes those of a drop.
        add_galaxy: Says why others are refused.
    """
    return DropZone(take, lambda words: add_galaxy.fail(UploadError(words)), words=WORDS)
