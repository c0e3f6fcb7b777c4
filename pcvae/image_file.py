"""Arrays of images on disk whose rows are read in any order: what is larger than memory.

A file holds the rows one after the other, in the machine's own single precision, with nothing
before them. Reads are not mapped into memory: a process holds the rows that it asked for.
"""

import math
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pcvae.errors import RunError, brief

__all__ = ["ImageFile"]

KIND = np.dtype(np.float32)


class ImageFile:
    """Images (N, ...) in a file, to be read by rows as a tensor is.

    Args:
        path: The file.
        shape: Of all images, N first.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> folder = TemporaryDirectory()
        >>> images = ImageFile(Path(folder.name) / "images", (3, 2))
        >>> images.make_room()
        >>> images[1:3] = torch.tensor([[5, 6], [7, 8]])
        >>> images[torch.tensor([2, 0, 1])]
        tensor([[7., 8.],
                [0., 0.],
                [5., 6.]])
        >>> folder.cleanup()
    """

    def __init__(self, path: Path, shape: Sequence[int]) -> None:
        self.path, self.shape = path, tuple(shape)
        self._row = math.prod(self.shape[1:]) * KIND.itemsize
        self._file: int | None = None

    def make_room(self) -> None:
        """Make the file; all images are zero until they are written."""
        with self.path.open("wb") as file:
            file.truncate(self.size)

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def size(self) -> int:
        """The bytes of the file."""
        return len(self) * self._row

    def is_whole(self) -> bool:
        """Whether the file is there in its size."""
        return self.path.exists() and self.path.stat().st_size == self.size

    def __setitem__(self, rows: slice, images: Tensor) -> None:
        """Put images (n, ...) in the rows from the first of a slice."""
        with self.path.open("r+b") as file:
            file.seek(rows.start * self._row)
            file.write(np.ascontiguousarray(images, KIND).tobytes())

    def __getitem__(self, rows: Tensor) -> Tensor:
        """The images (n, ...) of these rows, in their order.

        Raises:
            RunError: The file is gone, or too short.
        """
        found = torch.empty((len(rows), *self.shape[1:]))
        bytes_of = found.numpy().reshape(-1).view(np.uint8).data
        try:
            for place, row in enumerate(rows.tolist()):
                self._read(row, bytes_of[place * self._row : (place + 1) * self._row])
        except OSError as error:
            msg = f"{self.path} cannot be read: {brief(error)}. Begin again with --overwrite"
            raise RunError(msg) from error
        return found

    def _read(self, row: int, into: memoryview) -> None:
        if self._file is None:
            self._file = os.open(self.path, os.O_RDONLY)
        if os.preadv(self._file, [into], row * self._row) != self._row:
            msg = f"expected {self.size} bytes"
            raise OSError(msg)

    def close(self) -> None:
        """Close the file; it is opened again when it is read."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __del__(self) -> None:
        self.close()
