"""The Milky Way's dust: the extinction of fluxes by the colour excess E(B-V).

Shapes are written with N galaxies and C bands.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pcvae.errors import SettingsError

__all__ = ["COEFFICIENTS", "MAX_EBV", "dereddening", "extinction_of"]

MAX_EBV = 5.0  # mag; beyond, a number is no colour excess, or no galaxy is seen

COEFFICIENTS: Mapping[str, Mapping[str, float]] = {
    "decam": {"u": 3.995, "g": 3.214, "r": 2.165, "i": 1.592, "z": 1.211, "Y": 1.064},
    "sdss": {"u": 4.239, "g": 3.303, "r": 2.285, "i": 1.698, "z": 1.263},
}
r"""The extinction :math:`A_b / E(B-V)` of each camera's bands, for E(B-V) as on the maps of
Schlegel, Finkbeiner & Davis (1998, ApJ 500, 525).

Reference:
    SDSS: Schlafly & Finkbeiner (2011), ApJ 737, 103, table 6, for :math:`R_V = 3.1`, as targets
    of SDSS-IV were selected with. DECam: what Schlafly computed as in the appendix of that paper
    for a source of 7000 K through an airmass of 1.3, which differs a little from its table; from
    one airmass to two, g changes from 3.219 to 3.202. All of them as
    https://www.legacysurvey.org/dr10/catalogs/#galactic-extinction-coefficients (DECam) and
    https://www.legacysurvey.org/dr4/catalogs/ (both) state them; Rubin's
    pipelines have the same for DECam within 0.002.
"""


def extinction_of(bands: Sequence[str], camera: str = "decam") -> dict[str, float]:
    """The coefficients of these bands, in their order.

    Raises:
        SettingsError: The camera has no such band.
    """
    known = COEFFICIENTS[camera]
    if absent := [band for band in bands if band not in known]:
        msg = (
            f"expected bands of {camera} out of {', '.join(known)}, found {absent[0]}: its "
            f"extinction is not known. Give it with --extinction {absent[0]}=A, or "
            f"--dust leave to leave fluxes as they are"
        )
        raise SettingsError(msg)
    return {band: known[band] for band in bands}


def dereddening(ebv: ArrayLike, coefficients: Sequence[float]) -> NDArray[np.float64]:
    r"""The factors that undo the dust's extinction, (N, C); 1 where E(B-V) is unknown.

    .. math::
        f_b \to f_b \, 10^{0.4 R_b E(B-V)}

    Args:
        ebv: The colour excess of each galaxy's line of sight, (N,) [mag].
        coefficients: The :math:`R_b` of each band, (C,) [mag a mag].
    """
    excess = np.nan_to_num(np.asarray(ebv, dtype=np.float64), nan=0.0)
    result: NDArray[np.float64] = 10 ** (0.4 * excess[:, None] * np.asarray(coefficients))
    return result
