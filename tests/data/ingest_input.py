"""Images and catalogues for ``data.ingest``, and a run of it."""

import numpy as np
import pandas as pd
from astropy.io import fits

from data import ingest
from pcvae.cutouts import read_sample

BANDS = ("g", "r", "z")


SIZE = 32


ANGLE = 0.5  # rad


def galaxy(seed=0, size=SIZE, scale=1.0, angle=ANGLE, shift=(0.0, 0.0)):
    """Cutouts (3, size, size) of an elliptical Gaussian; ``scale`` makes its pixels smaller."""
    y, x = (np.indices((size, size)) - (size - 1) / 2) * scale
    x, y = x - shift[0], y - shift[1]
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    profile = np.exp(-((along / 4) ** 2 + (across / 2) ** 2) / 2) * scale**2
    noise = 0.01 * scale * np.random.default_rng(seed).standard_normal((3, size, size))
    return (profile * np.array([1.0, 2.0, 3.0])[:, None, None] + noise).astype(np.float32)


def header(ra=150.0, dec=2.0, size=SIZE, scale=0.262, rotation=0.0, **cards):
    """A FITS header with a tangent plane; ``rotation`` [rad] turns north from +y."""
    made = fits.Header(cards)
    made["CTYPE1"], made["CTYPE2"] = "RA---TAN", "DEC--TAN"
    made["CRVAL1"], made["CRVAL2"] = ra, dec
    made["CRPIX1"] = made["CRPIX2"] = (size + 1) / 2
    step, c, s = scale / 3600, np.cos(rotation), np.sin(rotation)
    made["CD1_1"], made["CD1_2"] = -step * c, -step * s
    made["CD2_1"], made["CD2_2"] = -step * s, step * c
    return made


def write_cube(path, flux=None, **cards):
    flux = galaxy(size=cards.get("size", SIZE)) if flux is None else flux
    fits.writeto(path, flux, header(**({"BANDS": "grz", "size": flux.shape[-1]} | cards)))


def catalogue(folder, **columns):
    folder.mkdir(exist_ok=True)
    pd.DataFrame(columns).to_csv(folder / "catalog.csv", index=False)
    return folder


def arrays(folder, images, **others):
    np.savez(folder / "images.npz", images=images, **others)
    return folder


def run(folder, out, *options):
    ingest.main([str(folder), str(out), *map(str, options)])
    sample = read_sample(out)
    return sample, pd.read_csv(out / "left_out.csv").set_index("id")
