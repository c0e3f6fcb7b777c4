"""Files that are dropped anywhere on the page."""

from collections.abc import Callable

import param

from dashboard.components.assets import script, style
from dashboard.components.component import Component
from dashboard.components.css import BASE
from dashboard.components.file_input import MAX_BYTES, Upload, too_large

__all__ = ["DropZone"]

MAX_FILES = 20


class DropZone(Component):
    """Takes dropped files part by part; calls ``on_files`` with those of a drop, or ``on_error``.

    Where a field of the page takes a file itself, it is left to that field. Files of a
    ``pcvae-files`` event of the document are taken likewise.
    """

    words = param.String(default="", doc="What can be dropped.")
    most = param.Integer(default=MAX_BYTES, doc="Bytes of all files of a drop together.")

    _esm = script(__file__, "drop_zone.js")
    _stylesheets = [BASE, style(__file__, "drop_zone.css")]  # noqa: RUF012

    def __init__(
        self,
        on_files: Callable[[list[Upload]], None],
        on_error: Callable[[str], None],
        **params: object,
    ) -> None:
        super().__init__(**params)
        self._taken, self._refused = on_files, on_error
        self._parts: list[tuple[str, list[bytes]]] = []
        self._bytes = 0

    def _handle_msg(self, data: dict[str, object]) -> None:
        size, name, part = (data.get(key) for key in ("size", "name", "part"))
        if isinstance(size, int):
            self._refused(too_large(size, self.most))
        elif isinstance(name, str) and isinstance(part, bytes):
            self._take(name, part, first=bool(data.get("first")))
        elif data.get("end"):
            dropped, too_much = self._parts, self._bytes > self.most
            self._parts, self._bytes = [], 0
            if too_much:
                self._refused(too_large(self.most + 1, self.most))
            elif dropped:
                self._taken([Upload(name, b"".join(parts)) for name, parts in dropped])

    def _take(self, name: str, part: bytes, *, first: bool) -> None:
        """Keep a part of a file; of more than may be, nothing more is kept."""
        self._bytes += len(part)
        if self._bytes > self.most or len(self._parts) > MAX_FILES:
            return
        if first or not self._parts:
            self._parts.append((name, []))
        self._parts[-1][1].append(part)
