"""The names under which surveys publish what we call redshift, log_mass and the rest."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

__all__ = ["USUAL_NAMES", "recognise"]

USUAL_NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("objid", "obj_id", "object_id", "objectid", "specobjid", "targetid", "cataid", "uberid",
           "source_id", "name", "galaxy"),
    "ra": ("raj2000", "ra_deg", "ra_j2000", "target_ra", "racen", "alpha_j2000",
           "right_ascension"),
    "dec": ("dej2000", "decj2000", "dec_deg", "dec_j2000", "target_dec", "deccen", "delta_j2000",
            "declination"),
    "redshift": ("zspec", "z_spec", "specz", "spec_z", "zbest", "z_best", "z_helio", "zhelio",
                 "zcat", "z"),
    "redshift_err": ("zspec_err", "z_err", "zerr", "e_z", "redshift_error"),
    "log_mass": ("logmass", "lgm_tot_p50", "logmstar", "log_mstar", "log_stellar_mass", "lmass",
                 "logms", "lgm", "logm"),
    "log_mass_err": ("logmass_err", "e_logmass", "logmstar_err", "log_mstar_err", "lmass_err",
                     "log_stellar_mass_err"),
    "log_sfr": ("logsfr", "sfr_tot_p50", "log_sfr_tot", "lsfr", "lgsfr", "logsfr_tot"),
    "log_sfr_err": ("logsfr_err", "e_logsfr", "lsfr_err", "log_sfr_tot_err"),
    "ebv": ("e_b_v", "e(b-v)", "ebv_sfd", "ebv_sfd98", "sfd_ebv", "ebmv"),
}  # fmt: skip
"""Of each of our columns, the names that stand for it, in lower case; the first found is taken."""

MAX_REDSHIFT = 10.0  # above, a column called z is a magnitude
BANDS = ("g", "r", "i")  # beside one of these, a column called z is a magnitude too


def recognise(table: pd.DataFrame, given: Mapping[str, str]) -> dict[str, str]:
    """Which columns of a table are ours under another name, as ours: theirs.

    Args:
        table: As its makers name its columns.
        given: What the user says of it, ours: theirs; those are left alone.

    Example:
        >>> recognise(pd.DataFrame({"id": ["a"], "Z": [0.1], "logMass": [10.0]}), {})
        {'redshift': 'Z', 'log_mass': 'logMass'}
    """
    columns: dict[str, Any] = {str(name).lower(): name for name in reversed(list(table))}
    taken = {name.lower() for name in given.values()}
    found: dict[str, str] = {}
    for ours, names in USUAL_NAMES.items():
        if ours in given or ours in table:
            continue
        known = [name for name in (ours, *names) if name in columns and name not in taken]
        known = [name for name in known if name != "z" or _is_redshift(table, columns)]
        if known:
            found[ours] = str(columns[known[0]])
    return found


def _is_redshift(table: pd.DataFrame, columns: Mapping[str, Any]) -> bool:
    """Whether a column called z is a redshift, and no magnitude in the z band."""
    if any(band in columns for band in BANDS):
        return False
    values = pd.to_numeric(table[columns["z"]], errors="coerce").dropna()
    return bool(len(values) and values.median() < MAX_REDSHIFT)
