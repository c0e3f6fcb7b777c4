"""Axes and colours of a store: latents, and projections of them, which are said to be that."""

import shutil

import numpy as np
import pytest
from panel.pane import HTML

from dashboard.app import Explorer, open_datastore
from dashboard.backend.quantities import axes_of, colours_of, latents_of, projections_of
from dashboard.backend.typography import MINUS
from dashboard.export.tables import selection
from dashboard.latent_map.axes_bar import pairs_of
from data import embeddings
from pcvae.errors import StoreError
from pcvae.store import read_store
from tests.dashboard.explorers import begin, draw
from train import project

AXES = [f"pca_{axis}" for axis in range(3)]


@pytest.fixture(scope="module")
def projected(store, tmp_path_factory):
    """A store of 120 galaxies with three principal components of each model."""
    folder = shutil.copytree(store, tmp_path_factory.mktemp("projected") / "store")
    return project.main([str(folder), "--components", "3"])


@pytest.fixture(scope="module")
def wide(store, tmp_path_factory):
    """The same with 80 numbers of another model beside ours."""
    folder = tmp_path_factory.mktemp("wide")
    ids = read_store(store).galaxies["id"].to_numpy(str)
    values = np.random.default_rng(0).normal(size=(120, 80))
    np.savez(folder / "v.npz", vectors=values, id=ids)
    arguments = [folder / "v.npz", folder / "store", "--store", store, "--model", "clip"]
    return embeddings.main([str(one) for one in arguments])


def columns(quantities):
    return [quantity.column for quantity in quantities]


def test_projections_follow_the_latents_in_every_menu_and_say_what_they_are(projected):
    session = begin(projected)
    store = session.datastore.store
    names = columns(latents_of(store, "physics"))
    assert columns(axes_of(store, "physics")) == [*names, *AXES]
    assert {"PCA 1 (projection)", "PCA 2 (projection)"} <= set(session.state.param.x.get_range())
    assert set(AXES) <= set(columns(colours_of(store, "physics")))
    assert session.state.x not in AXES
    pairs = pairs_of(session.datastore, "vanilla")
    assert list(pairs.values())[-1] == ("pca_0", "pca_1")
    assert len(pairs) > 1


def test_the_map_and_its_colours_show_projections(projected):
    session = begin(projected)
    session.state.param.update(x="pca_0", y="pca_1", colour="projection.pca_2")
    draw(session)
    expected = session.datastore.store.projections("physics")[["pca_0", "pca_1"]]
    np.testing.assert_array_equal(session.map.plane.points, expected)
    assert session.map.plane.x.title == "PCA 1 (projection)"


def test_magnitudes_and_colours_are_axes_and_colours_of_the_map(store, tmp_path):
    folder = shutil.copytree(store, tmp_path / "store")
    galaxies, flux = read_store(store).galaxies, np.geomspace(1, 100, 120)
    fluxes = {"flux_g": flux, "flux_r": 2 * flux, "flux_z": np.r_[np.nan, 3 * flux[1:]]}
    galaxies.assign(**fluxes).to_parquet(folder / "galaxies.parquet")
    session = begin(folder)
    names = ["mag_g", "mag_r", "mag_z", "g-r", "r-z"]
    for listed in (axes_of, colours_of):
        assert set(names) <= set(columns(listed(session.datastore.store, "physics")))
        assert not set(names) & set(columns(listed(read_store(store), "physics")))
    session.state.param.update(x="mag_g", y="g-r", colour="photometry.r-z")
    draw(session)
    plane = session.map.plane
    assert (plane.x.axis, plane.y.axis) == ("g magnitude [mag]", f"g {MINUS} r [mag]")
    bright = flux > 20  # where an asinh magnitude is that of Pogson
    np.testing.assert_allclose(
        plane.points["x"][bright], 22.5 - 2.5 * np.log10(flux[bright]), atol=0.01
    )
    np.testing.assert_allclose(plane.points["y"][bright], 2.5 * np.log10(2), atol=0.01)
    values = session.datastore.store.magnitudes["r-z"]
    assert np.isnan(values[0])
    assert values[1:].notna().all()


def test_an_export_has_projections_with_what_they_are(projected):
    table = selection(begin(projected).datastore, "physics", np.arange(3))
    assert (
        table["physics_pca_0"].description == "PCA 1 (projection) of the latents of model physics"
    )
    expected = read_store(projected).projections("physics")["pca_0"][:3]
    np.testing.assert_array_equal(table["physics_pca_0"], expected)


def test_projections_are_no_properties_of_a_galaxy(projected):
    session = begin(projected)
    session.state.row = 3
    assert "projection" not in session.card.properties.object


def test_of_a_wide_embedding_projections_are_the_axes_and_all_numbers_are_searched(wide):
    session = begin(wide)
    session.state.model = "clip"
    store = session.datastore.store
    assert columns(axes_of(store, "clip")) == columns(projections_of(store, "clip"))
    assert (session.state.x, session.state.y) == ("pca_0", "pca_1")
    assert "latent_7" not in columns(colours_of(store, "clip"))
    draw(session)
    session.state.row = 3
    index = session.datastore.neighbours.index("clip", session.state.metric).result()
    assert index.axes == 80
    values = store.values("clip")
    nearest = np.argsort(np.linalg.norm(values - values[3], axis=1))[1:6]
    found = session.datastore.neighbours.nearest("clip", 3, 5)
    np.testing.assert_array_equal(found["row"], nearest)


@pytest.mark.parametrize("tab", ["decode", "histograms", "queue", "lookalikes", "selection"])
def test_every_tab_shows_a_wide_embedding(wide, tab):
    session = begin(wide)
    session.state.param.update(model="clip", row=3)
    session.state.tab = tab
    draw(session)
    assert session.state.model == "clip"


def test_the_model_page_shows_a_wide_embedding(wide):
    session = begin(wide)
    session.page().get_root()
    session.state.param.update(model="clip", page="model")
    for section, holder in session.model_page.sections.holders.items():
        shown = " ".join(pane.object for pane in holder.select(HTML))
        assert shown, section
        assert "working" not in shown, section
    assert "clip, by neighbours" in " ".join(
        pane.object for pane in session.model_page.sections.holders["scores"].select(HTML)
    )


def test_a_wide_embedding_without_projections_says_how_to_make_them(wide, tmp_path):
    folder = shutil.copytree(wide, tmp_path / "store")
    shutil.rmtree(folder / "projections")
    with pytest.raises(StoreError, match=r"python -m train\.project"):
        Explorer(open_datastore(folder))
    project.main([str(folder), "--model", "clip"])
    assert begin(folder).datastore.store.projections("clip").shape == (120, 10)
