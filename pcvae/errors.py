"""The exceptions of pcvae; messages say what was expected, what was found, what to run."""

__all__ = [
    "CatalogError",
    "JournalBusyError",
    "JournalError",
    "OutputError",
    "PcvaeError",
    "RunError",
    "SampleError",
    "SettingsError",
    "ShapeError",
    "StoreError",
    "WorkerError",
    "brief",
]

MAX_LENGTH = 240  # characters of another library's message


class PcvaeError(Exception):
    """Base class: catch this to catch anything pcvae raises on purpose."""


class CatalogError(PcvaeError, ValueError):
    """A table of galaxies lacks a column, repeats an id, or cannot be read."""


class SampleError(PcvaeError):
    """A sample folder is missing, unreadable, of another version, or in the way."""


class ShapeError(PcvaeError, ValueError):
    """An array does not have the shape that the model was built for."""


class SettingsError(PcvaeError, ValueError):
    """A setting has a value that cannot work, or differs from the one begun with."""


class RunError(PcvaeError):
    """A run folder is missing, unreadable, of another version, or in the way."""


class StoreError(PcvaeError):
    """A latent store is missing, unreadable, of another version, or in the way."""


class JournalError(PcvaeError):
    """A journal of labels cannot be opened, or is of another version."""


class OutputError(PcvaeError):
    """An output is being written by another process, or cannot be written at all."""


class WorkerError(PcvaeError):
    """A process that worked for this one has ended."""


def brief(error: BaseException) -> str:
    """What another library says of an error, as part of a sentence of ours: one line, not long."""
    words = " ".join(str(error).split()) or type(error).__name__
    return words if len(words) <= MAX_LENGTH else f"{words[:MAX_LENGTH]} ..."


class JournalBusyError(JournalError):
    """The database of a journal is locked or does not answer: trying again may help."""
