"""Projections of a store's latents to look at: principal components and UMAP."""

import shutil
import sys

import numpy as np
import pandas as pd
import pytest

from pcvae.errors import OutputError, SettingsError, StoreError
from pcvae.lock import hold
from pcvae.projections import fit_principal_axes, principal_axes, projection_path
from pcvae.store import read_store
from train import project
from train.projection import umap_axes


@pytest.fixture
def copied(store, tmp_path):
    """A copy of the store of 120 galaxies."""
    return shutil.copytree(store, tmp_path / "store")


def run(folder, *options):
    return read_store(project.main([str(folder), *map(str, options)]))


def test_principal_components_are_those_of_the_scaled_latents(copied):
    """As scikit-learn's PCA finds them; the orientation has no part in them."""
    from sklearn.decomposition import PCA

    found = run(copied, "--model", "physics", "--components", "2")
    values = found.features("physics").values
    assert "e_cos" not in found.features("physics").names
    expected = PCA(2).fit_transform(values / values.std(axis=0))
    axes = found.projections("physics")
    assert list(axes) == ["pca_0", "pca_1"]
    np.testing.assert_allclose(np.abs(axes), np.abs(expected), atol=1e-4)
    assert found.projections("vanilla").empty


def test_components_of_many_galaxies_are_found_batch_by_batch(monkeypatch):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(3000, 6)).astype(np.float32) * [5, 3, 1, 1, 1, 1]
    values[7, 2] = np.nan
    monkeypatch.setattr("pcvae.projections.ROWS", 500)
    blocks = lambda: np.array_split(values, 7)  # noqa: E731
    fitted = fit_principal_axes(blocks, 2)
    places = np.concatenate(list(principal_axes(fitted, blocks)))
    assert np.isnan(places[7]).all()
    known = np.delete(np.arange(3000), 7)
    for axis in (0, 1):
        assert abs(np.corrcoef(places[known, axis], values[known, axis])[0, 1]) > 0.99
    assert fit_principal_axes(lambda: [values[:0]], 2) is None
    assert np.isnan(np.concatenate(list(principal_axes(None, lambda: [values[:3]])))).all()


def test_no_search_uses_projections(copied):
    found = run(copied)
    assert not found.projections("physics").empty
    assert set(found.features("physics").names) <= set(found.model("physics").names)
    np.testing.assert_array_equal(
        found.features("physics").values, read_store(copied).features("physics").values
    )


def test_what_is_there_stays_unless_it_is_to_be_made_again(copied, capsys):
    run(copied, "--components", "3")
    run(copied, "--components", "2")
    assert "has its pca axes already" in capsys.readouterr().out
    assert run(copied, "--components", "2", "--overwrite").projections("physics").shape == (120, 2)


def test_one_process_writes_and_others_say_so(copied):
    with hold(copied), pytest.raises(OutputError, match="is being written by"):
        run(copied)


def test_projections_of_other_galaxies_are_refused(copied):
    run(copied)
    path = projection_path(copied, "physics", "pca")
    pd.read_parquet(path).iloc[:5].to_parquet(path)
    with pytest.raises(StoreError, match=r"projections of the 120 galaxies .* --overwrite"):
        read_store(copied).projections("physics")
    path.write_bytes(b"PAR1")
    with pytest.raises(StoreError, match=r"cannot be read: .* Make them again with: .*project"):
        read_store(copied).projections("physics")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--axes", "tsne"], "expected --axes out of pca, umap, found tsne"),
        (["--components", "0"], "expected --components of at least 1"),
        (["--min-dist", "2"], "expected --min-dist from 0 to 1"),
        (["--model", "other"], "has no model 'other'"),
    ],
)
def test_settings_that_cannot_be_are_refused(copied, options, message):
    with pytest.raises((SettingsError, StoreError), match=message):
        run(copied, *options)


def test_a_missing_umap_is_said_before_anything_is_made(copied, monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(SettingsError, match=r"umap-learn: pip install 'pcvae\[project\]'"):
        run(copied, "--axes", "pca,umap")
    assert not (copied / "projections").exists()


class ShiftedAxes:
    """Stands in for UMAP: the first two numbers of each galaxy, shifted by the fit."""

    def __init__(self, **options):
        self.options = options

    def fit(self, values):
        self.mean = values[:, :2].mean(axis=0)
        self.embedding_ = values[:, :2] - self.mean
        return self

    def transform(self, values):
        return values[:, :2] - self.mean


def test_galaxies_that_it_is_not_fitted_to_follow_and_a_killed_run_goes_on(copied, monkeypatch):
    monkeypatch.setattr(umap_axes, "check_installed", lambda: ShiftedAxes)
    monkeypatch.setattr(umap_axes, "ROWS", 50)
    options = ("--axes", "umap", "--fit", 60, "--model", "vanilla")
    saved = np.save

    def killed(file, values):
        if "000000000050" in file.name:
            raise KeyboardInterrupt
        saved(file, values)

    monkeypatch.setattr(np, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        run(copied, *options)
    assert read_store(copied).projections("vanilla").empty
    monkeypatch.setattr(np, "save", saved)
    with pytest.raises(StoreError, match="begun with other settings"):
        run(copied, *options, "--seed", 1)
    found = run(copied, *options)
    places, values = found.projections("vanilla"), found.features("vanilla").values
    apart = places.to_numpy() - (values / values.std(axis=0))[:, :2]
    np.testing.assert_allclose(apart, np.broadcast_to(apart[0], apart.shape), atol=1e-5)
    assert not projection_path(copied, "vanilla", "umap").with_name("umap.partial").exists()
    with pytest.raises(SettingsError, match="expected more than 500 galaxies for UMAP, found 120"):
        run(copied, "--axes", "umap", "--neighbours", 500, "--overwrite")


def test_umap_itself_places_all_galaxies(copied):
    pytest.importorskip("umap", reason="umap-learn is not installed")
    found = run(copied, "--axes", "umap", "--model", "vanilla", "--fit", 100)
    places = found.projections("vanilla")
    assert list(places) == ["umap_0", "umap_1"]
    assert np.isfinite(places).all(axis=None)
