"""The exceptions of pcvae; messages say what was expected, what was found, what to run."""

__all__ = [
    "CatalogError",
    "JournalBusyError",
    "JournalError",
    "PcvaeError",
    "RunError",
    "SampleError",
    "SettingsError",
    "ShapeError",
    "StoreError",
]


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


class JournalBusyError(JournalError):
    """The database of a journal is locked or does not answer: trying again may help."""
