"""Galaxies of normal and rare classes in a latent space."""

import numpy as np

from pcvae.anomaly import (
    NORMAL,
)


def galaxies(normal=400, red=60, green=12, apart=4.0, axes=5, seed=0):
    """Gaussian clouds: normal galaxies, and two rare populations ``apart`` sigma away."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(normal + red + green, axes))
    values[normal : normal + red, 0] += apart
    values[normal + red :, 1] += apart
    return values, np.repeat([NORMAL, "red", "green"], [normal, red, green])
