"""Stellar masses and star-formation rates under one initial mass function and one cosmology.

Ours are those of Chabrier (2003) and Planck Collaboration VI (2020), astropy's ``Planck18``.
"""

import numpy as np
import pandas as pd
from astropy.cosmology import FlatLambdaCDM, Planck18

from data.readers.units import LOG_SFR_FLOOR

__all__ = ["IMFS", "Conventions"]

IMFS = {
    "Chabrier": (0.0, 0.0),
    "Kroupa": (float(np.log10(0.61 / 0.66)), float(np.log10(0.63 / 0.67))),
    "Salpeter": (float(np.log10(0.61)), float(np.log10(0.63))),
}
"""What is added to log mass and log SFR [dex] of an initial mass function.

Reference: Madau & Dickinson (2014), ARA&A 52, 415, section 3.1.
"""


class Conventions:
    r"""The initial mass function and the cosmology that a catalogue's labels were made with.

    A luminosity goes as the squared distance, and with it mass and star-formation rate:

    .. math::
        \Delta \log M = \Delta \log \mathrm{SFR}
            = 2 \log_{10} \frac{D_L^\mathrm{Planck18}(z)}{D_L(z)}

    Args:
        imf: A key of ``IMFS``.
        hubble: H0 [km / s / Mpc] of a flat universe.
        matter: Its share of matter.
    """

    def __init__(self, imf: str, hubble: float, matter: float) -> None:
        self.imf = imf
        self.cosmology = FlatLambdaCDM(H0=hubble, Om0=matter)

    def __str__(self) -> str:
        h0, om0 = self.cosmology.H0.value, self.cosmology.Om0
        return f"{self.imf} (IMF), flat universe of H0 {h0:g} km/s/Mpc and Om {om0:g}"

    def convert(self, table: pd.DataFrame) -> pd.DataFrame:
        """A table with ``log_mass`` and ``log_sfr`` converted to ours.

        Errors stay, and so does a star-formation rate at the floor, which is a limit.
        """
        z = table["redshift"].to_numpy(np.float64)
        known = np.isfinite(z) & (z > 0)
        farther = np.zeros(len(z))
        ours, theirs = (c.luminosity_distance(z[known]).value for c in (Planck18, self.cosmology))
        farther[known] = 2 * np.log10(ours / theirs)
        shifts = dict(zip(("log_mass", "log_sfr"), IMFS[self.imf], strict=True))
        changed = {
            name: table[name] + shift + farther for name, shift in shifts.items() if name in table
        }
        if "log_sfr" in changed:
            limit = table["log_sfr"] <= LOG_SFR_FLOOR
            changed["log_sfr"] = changed["log_sfr"].mask(limit, table["log_sfr"])
        return table.assign(**changed)
