"""Files that a person uploads, in parts and up to a size."""

from typing import Any, NamedTuple

import panel_material_ui as pmui
import param

from pcvae.errors import PcvaeError

__all__ = ["MAX_BYTES", "FileField", "Upload", "UploadError", "too_large"]


MAX_BYTES = 64 << 20  # of all files together


class UploadError(PcvaeError):
    """A file cannot be shown: says what was expected and what was found."""


def too_large(size: int, most: int) -> str:
    """What is said of files of more bytes than may be.

    Example:
        >>> too_large(80 << 20, 64 << 20)
        'expected at most 64 MB, found 80 MB'
    """
    return f"expected at most {most >> 20} MB, found {size / 2**20:.0f} MB"


class Upload(NamedTuple):
    """An uploaded file: its name and its bytes."""

    name: str
    content: bytes


class FileField(pmui.FileInput):
    """An upload field; files of more than ``most`` bytes in all are dropped.

    It is given no ``accept``: the browser would refuse other files without a word.
    """

    most = param.Integer(default=MAX_BYTES, constant=True)

    _rename = {"most": None}  # noqa: RUF012

    def __init__(self, **params: object) -> None:
        pmui.FileInput.__init__(self, **params)
        self._bytes = 0

    def _process_chunk(self, msg: dict[str, Any]) -> None:
        self._bytes += len(msg["data"])
        super()._process_chunk({**msg, "data": b""} if self._bytes > self.most else msg)

    def files(self) -> list[Upload]:
        """The uploaded files.

        Raises:
            UploadError: They are too large.
        """
        size, values, names = self._bytes, self.value, self.filename
        self._bytes = 0
        if values is None:
            return []
        pmui.FileInput.clear(self)  # a session is not to hold on to what it has read
        if size > self.most:
            raise UploadError(too_large(size, self.most))
        pairs = zip(values, names, strict=True) if isinstance(values, list) else [(values, names)]
        return [Upload(str(name), content) for content, name in pairs]
