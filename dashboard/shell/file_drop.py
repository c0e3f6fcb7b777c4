"""Files that are dropped anywhere on the page: told apart, and handed to who reads them."""

import re
from pathlib import Path

import panel as pn

from dashboard.backend.view import Tab, View
from dashboard.components.assets import script
from dashboard.components.component import Component
from dashboard.components.file_input import FileField, Upload, UploadError
from dashboard.galaxy.add_galaxy import AddGalaxy
from dashboard.galaxy.image_files import FITS, PICTURES
from dashboard.sky.crossmatch import TABLES
from dashboard.sky.target_list import TargetList

__all__ = ["FileDrop", "are_targets"]

BLOCK = 2880  # bytes of a FITS block, at which each header begins (FITS standard 4.0, Sect. 3.1)
TABLE = re.compile(rb"XTENSION= '(BINTABLE|TABLE )")
COMPRESSED = b"ZIMAGE  ="  # a table that holds an image, by tile compression (Sect. 10.1)


def are_targets(files: list[Upload]) -> bool:
    """Whether dropped files are a list of targets; False for the images of a galaxy.

    Raises:
        UploadError: They are neither.

    Example:
        >>> are_targets([Upload("mine.csv", b"")]), are_targets([Upload("mine.png", b"")])
        (True, False)
    """
    kinds = {_is_table(file) for file in files}
    if len(kinds) != 1:
        msg = "expected the images of one galaxy, or one table of targets; found both"
        raise UploadError(msg)
    if (targets := kinds.pop()) and len(files) > 1:
        msg = f"expected one table of targets; found {len(files)}"
        raise UploadError(msg)
    return targets


def _is_table(file: Upload) -> bool:
    name = file.name.lower()
    if name.endswith((*FITS, *PICTURES)):
        return Path(name).suffix in TABLES and _is_fits_table(file.content)
    if Path(name).suffix in TABLES:
        return True
    tables = ", ".join(ending for ending in TABLES if ending not in FITS)
    msg = (
        f"expected a FITS cutout or a picture ({', '.join((*FITS, *PICTURES))}), or a table of "
        f"targets ({tables}, or FITS); found {file.name}"
    )
    raise UploadError(msg)


def _is_fits_table(content: bytes) -> bool:
    """Whether the first extension of a FITS file is a table and its primary HDU has no image."""
    if not re.search(rb"NAXIS   = +0\b", content[:BLOCK]) or COMPRESSED in content:
        return False
    return any(found.start() % BLOCK == 0 for found in TABLE.finditer(content))


class DropListener(Component):
    """Puts what is dropped on the page into the field that nobody sees."""

    _esm = script(__file__, "file_drop.js")


class FileDrop(View):
    """Takes what is dropped on the page; writes ``tab`` and ``page`` of the state.

    Args:
        add_galaxy: Reads images, and says what is wrong with files.
        tabs: All tabs by their keys, of which the target list reads tables.
    """

    def __init__(self, add_galaxy: AddGalaxy, tabs: dict[str, Tab], **params: object) -> None:
        super().__init__(**params)
        self._add_galaxy = add_galaxy
        self._targets = next(tab for tab in tabs.values() if isinstance(tab, TargetList))
        self.field = FileField(multiple=True, css_classes=["dropped-files"])
        self.field.param.watch(lambda _: self._take(), "value")
        parts = (self.field, DropListener(sizing_mode="fixed", width=0, height=0))
        self._layout = pn.Row(*parts, margin=0, styles={"display": "none"})

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout

    def _take(self) -> None:
        try:
            files = self.field.files()
            if files:
                self.read(files)
        except UploadError as error:
            self._add_galaxy.jobs.fail(error)

    def read(self, files: list[Upload]) -> None:
        """Read files as targets or as a galaxy.

        Raises:
            UploadError: They are neither.
        """
        targets = are_targets(files)
        self.state.page = "explore"
        if targets:
            self._add_galaxy.shut()
            self.state.tab = self._targets.key
            self._targets.upload(files[0])
        else:
            self._add_galaxy.take(lambda: files)
