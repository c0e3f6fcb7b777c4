r"""The four physical labels: their names, order, units, and errors, defined once.

Angles are in radians, counter-clockwise from the +x axis of the array. An orientation has no
head or tail, so :math:`\phi` and :math:`\phi + \pi` are the same.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["LABELS", "Label", "Latent", "angle_difference", "label", "wrap_angle"]

PAPER_SIGMA_FLOOR = 1e-3  # the published code's clamp on every error but the orientation's
PAPER_ORIENTATION_SIGMA = 0.1  # rad, stated with Eq. 2 of Gagliano & Villar (2023)


@dataclass(frozen=True, slots=True)
class Label:
    """A measured property of a galaxy that a latent is tied to.

    Args:
        name: The column in a catalogue; its 1-sigma error is ``NAME_err``.
        title: How a person reads it on an axis.
        unit: Its unit as astropy writes it; empty for none.
        sigma_floor: The least error that recipe ``default`` believes, in the label's unit.
        sigma_missing: The error assumed where a value has none, in the label's unit.
        possible: The least and the largest value that can be, in the label's unit.
    """

    name: str
    title: str
    unit: str
    sigma_floor: float
    sigma_missing: float
    possible: tuple[float, float]

    @property
    def error(self) -> str:
        """The column of the 1-sigma error."""
        return f"{self.name}_err"

    @property
    def axis(self) -> str:
        """The title with its unit, for an axis or a table."""
        return f"{self.title} [{self.unit}]" if self.unit else self.title


LABELS = (
    Label("orientation", "Orientation", "rad", 0.05, PAPER_ORIENTATION_SIGMA, (-7.0, 7.0)),
    Label("redshift", "Redshift", "", 0.002, 0.01, (-0.01, 20.0)),
    Label("log_mass", "log stellar mass", "dex(Msun)", 0.03, 0.15, (3.0, 14.0)),
    Label("log_sfr", "log star-formation rate", "dex(Msun / yr)", 0.05, 0.3, (-6.0, 5.0)),
)


def label(name: str) -> Label:
    """The label of that name.

    Raises:
        KeyError: There is none; the message lists those there are.
    """
    for label in LABELS:
        if label.name == name:
            return label
    msg = f"no label {name!r}: expected one of {', '.join(label.name for label in LABELS)}"
    raise KeyError(msg)


def wrap_angle(phi: ArrayLike) -> NDArray[np.float64]:
    r"""Bring angles [rad] into :math:`(-\pi/2, \pi/2]`; NaN stays NaN.

    Example:
        >>> float(wrap_angle(np.pi).round(6)), float(wrap_angle(-np.pi / 2).round(6))
        (0.0, 1.570796)
    """
    phi = np.asarray(phi, dtype=np.float64)
    return np.pi / 2 - np.mod(np.pi / 2 - phi, np.pi)


def angle_difference(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    r"""The difference a - b of two orientations [rad], modulo :math:`\pi`.

    Example:
        >>> float(angle_difference(1.5, -1.5).round(4))
        -0.1416
    """
    return wrap_angle(np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64))


@dataclass(frozen=True, slots=True)
class Latent:
    """One axis of a latent space, as a store describes it.

    Args:
        name: Its column; its 1-sigma is ``NAME_sigma``.
        title: How a person reads it.
        unit: Its unit as astropy writes it; empty for none.
    """

    name: str
    title: str
    unit: str = ""

    @property
    def axis(self) -> str:
        """The title with its unit, for an axis or a table."""
        return f"{self.title} [{self.unit}]" if self.unit else self.title
