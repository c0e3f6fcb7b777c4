import numpy as np
import pandas as pd

from pcvae.photometry import asinh_magnitudes, photometric_features


def test_asinh_magnitudes_are_magnitudes_for_bright_galaxies():
    found = asinh_magnitudes(np.array([[1.0, 100.0]]), np.array([1e-4, 1e-4]))
    np.testing.assert_allclose(found, [[22.5, 17.5]], atol=1e-6)


def test_asinh_magnitudes_of_negative_fluxes_are_finite_and_fainter():
    found = asinh_magnitudes(np.array([[-0.01], [0.0], [0.01]]), np.array([0.01]))
    assert np.isfinite(found).all()
    assert (np.diff(found[:, 0]) < 0).all()


def test_features_are_colours_a_magnitude_size_and_shape():
    flux = {"flux_g": [1.0, 10.0], "flux_r": [2.0, 10.0], "flux_z": [4.0, 10.0]}
    errors = {f"{name}_err": [1e-5, 1e-5] for name in flux}
    table = pd.DataFrame({**flux, **errors, "r50": [10.0, np.nan], "axis_ratio": [0.5, 0.9]})
    found = photometric_features(table, ("g", "r", "z"))
    assert list(found) == ["g-r", "r-z", "r", "log r50", "axis ratio"]
    np.testing.assert_allclose(found.iloc[0], [0.753, 0.753, 21.747, 1, 0.5], atol=1e-3)
    assert found.iloc[1].isna().tolist() == [False, False, False, True, False]


def test_a_catalogue_without_fluxes_or_shapes_has_none():
    assert photometric_features(pd.DataFrame({"r50": [1.0]}), ("g", "r")) is None
    fluxes = pd.DataFrame({"flux_g": [1.0], "flux_r": [1.0], "r50": np.nan, "axis_ratio": 0.5})
    assert photometric_features(fluxes, ("g", "r")) is None
