"""Small tables as the published catalogues have them."""

from io import BytesIO

import numpy as np
import pandas as pd
from astropy.table import Table

from data import catalogs

ARCSEC = 1 / 3600


SPIRALS = """Data for Red Spiral Sample in Masters et al. 2010 (Table A1).
Columns are (1) SDSS objid, (2/3) RA/Dec in J2000 decimal degrees, (4) redshift,

      587731186741346415    1.218164   0.351724  0.0833  -21.26 0.01  0.695 0.020  0.040  0.144  0.42
      588015509270364319  180.000000   0.042422  0.0735  -21.75 0.01  0.701 0.021  0.036  0.143  0.46
"""  # noqa: E501


PEAS = """# DR7OBJID,RA,DEC,REDSHIFT,OIII_EW,L_FUV,L_FUV_ERR,SFR,SFR_ERR,METALLICITY,M_STELLAR
587725073921409255 ,  146.242618 ,   -0.762639 ,  0.3002 ,   312.8 , 1.0, 0.2, 10.0 , 2.302585 , 8.7, 9.76
588848899919446344 ,  195.546460 ,   -0.087897 ,  0.2255 ,   834.4 , 0.2, 0.2, -99 , 0.22 , 8.7 ,    9.07
"""  # noqa: E501


def gama():
    """Five rows: good, poor redshift, not of the main survey, too far, quenched."""
    return pd.DataFrame(
        {
            "uberID": [101, 102, 103, 104, 105],
            "RAcen": [150.0, 151.0, 152.0, 153.0, 180.0],
            "Deccen": [1.0, 1.0, 1.0, 1.0, 0.042422 + 0.5 * ARCSEC],
            "Z": [0.2, 0.2, 0.2, 1.2, 0.0735],
            "NQ": [4, 2, 3, 4, 3],
            "SC": [7, 7, 3, 8, 8],
            "StellarMass_16": [0.5e10] * 5,
            "StellarMass_50": [1e10] * 5,
            "StellarMass_84": [2e10] * 5,
            "SFR_16": [0.5, 0.5, 0.5, 0.5, 1e-42],
            "SFR_50": [1.0, 1.0, 1.0, 1.0, 1e-40],
            "SFR_84": [2.0, 2.0, 2.0, 2.0, 1e-12],
        }
    )


def zou():
    """Five rows: spectroscopic, photometric, star, few bands, without a mass."""
    return pd.DataFrame(
        {
            "Tractor_ID": [1, 2, 3, 4, 5],
            "RA": [9.0, 9.1, 9.2, 9.3, 9.4],
            "DEC": [-44.0] * 5,
            "redshift": [0.5, 0.6, 0.5, 0.5, 0.5],
            "flag_star": [0, 0, 1, 0, 0],
            "ngoodband": [5, 9, 9, 4, 9],
            "Mstar_gal": [1e9, 1e9, 1e9, 1e9, -1.0],
            "Mstar_gal_err": [1e9 * np.log(10) * 0.1] * 5,
            "SFR_gal": [10.0, 1.0, 1.0, 1.0, 1.0],
            "SFR_gal_err": [2.302585] * 5,
            "zphot_lowlim": [-1.0, 0.5, 0.4, 0.4, 0.4],
            "zphot_upplim": [-1.0, 0.7, 0.6, 0.6, 0.6],
        }
    )


def as_bytes(table):
    file = BytesIO()
    Table.from_pandas(table).write(file, format="fits")
    return file.getvalue()


def run(out, *options):
    catalogs.main([str(one) for one in (out, *options)])
    table = pd.read_parquet(out / "catalog.parquet").set_index("id")
    return table, pd.read_csv(out / "cuts.csv").set_index(["catalog", "cut"])
