"""A store whose tables are mapped shows what one that is read shows."""

import numpy as np
import pandas as pd
import pytest

from dashboard.app import Explorer
from dashboard.backend import datastore as datastore_module
from dashboard.backend import model_scores, neighbour_index
from dashboard.backend.datastore import DataStore
from dashboard.backend.sky_index import SkyBands, SkyTree
from dashboard.plotting import raster
from dashboard.plotting.layers import canvas_of, draw_galaxies
from dashboard.selection import histograms
from dashboard.selection.query import matches
from dashboard.sky.search import suggestions
from pcvae import store as store_module
from pcvae.errors import StoreError
from pcvae.scan import ScannedNeighbours
from pcvae.store import map_tables, read_store

USERS = (store_module, datastore_module, neighbour_index, histograms, model_scores)


@pytest.fixture
def large(photometric, monkeypatch):
    """A session of the same store with its tables mapped."""
    for module in USERS:
        monkeypatch.setattr(module, "MAPPED", 10)
    monkeypatch.setattr(raster, "PART", 50)
    store = read_store(photometric.datastore.store.folder)
    map_tables(store)
    session = Explorer(DataStore(store, None))
    session.start()
    return session


def test_its_tables_are_the_same(photometric, large):
    small, mapped = photometric.datastore.store, large.datastore.store
    assert (mapped.folder / "columns" / "latents.physics").is_dir()
    assert mapped.latents("physics").equals(small.latents("physics"))
    assert mapped.photometry.equals(small.photometry)
    assert mapped.magnitudes.equals(small.magnitudes)
    both = small.features("physics", "both"), mapped.features("physics", "both")
    np.testing.assert_array_equal(both[0].values, both[1].values)


def test_it_is_searched_as_the_other(photometric, large):
    sessions = photometric, large
    near = [one.datastore.neighbours.nearest("physics", 5, 7)["row"].tolist() for one in sessions]
    assert near[0] == near[1]
    assert isinstance(large.datastore.neighbours.index("physics").result(), ScannedNeighbours)
    asked = 'redshift > 0.1 and population == "field" and not g - r > 1 and label != "lens"'
    found = [matches(one.datastore, one.state.space, (), asked) for one in sessions]
    np.testing.assert_array_equal(*found)
    assert found[0].any()
    ids = [one.datastore.rows_of(["nobody", one.datastore.ids[9]]).tolist() for one in sessions]
    assert ids == [[-1, 9], [-1, 9]]
    text = str(large.datastore.ids[9])[1:]
    assert suggestions(large.datastore, text) == suggestions(photometric.datastore, text)
    assert isinstance(large.datastore.sky(), SkyBands)


def test_it_looks_like_the_other(photometric, large):
    for session in (photometric, large):
        session.state.selection.selected = np.arange(120) % 3 > 0
    for colour in ("density", "population", "inferred.orientation", "pull.redshift"):
        pictures = []
        for session in (photometric, large):
            session.state.colour = colour
            canvas = canvas_of(session.map.limits, (90, 70))
            layer = draw_galaxies(session.datastore, session.state, session.map.plane, canvas)
            pictures.append(np.stack([layer.dimension_values(k, flat=False) for k in "RGBA"]))
        np.testing.assert_allclose(*pictures, atol=1)
    counts = []
    for session in (photometric, large):
        counted = histograms.count_all(session.datastore, "physics")
        focus = session.state.selection.focus
        counts.append(histograms.focus_counts(counted, focus, {"inferred.redshift": None}))
    assert counts[0] == counts[1]


def test_it_is_judged_as_the_other(photometric, large):
    for name in ("by_population", "of"):
        more = (None,) if name == "of" else ()
        trust = [getattr(s.datastore.trust, name)("physics", *more) for s in (photometric, large)]
        assert trust[0].result() == trust[1].result()
    jobs = [session.datastore.model_jobs.scores("physics") for session in (photometric, large)]
    assert jobs[0].result() == jobs[1].result()


def test_ids_of_another_store_are_refused_in_words(photometric, large):
    path = large.datastore.store.latents_path("physics")
    table = pd.read_parquet(path)
    table["id"] = table["id"].iloc[::-1].to_numpy()
    table.to_parquet(path, index=False)
    with pytest.raises(StoreError, match="expected the ids of the galaxies"):
        read_store(large.datastore.store.folder).latents("physics")


def test_bands_of_the_sky_find_what_the_tree_finds():
    rng = np.random.default_rng(0)
    ra, dec = rng.uniform(0, 360, 3000), np.degrees(np.arcsin(rng.uniform(-1, 1, 3000)))
    ra[5], dec[9] = np.nan, np.nan
    tree, bands = SkyTree(ra, dec), SkyBands(ra, dec)
    asked = np.append(ra[:50] + 0.3, [0.001, np.nan]), np.append(dec[:50], [89.9, 3.0])
    for one, other in zip(tree.nearest(*asked), bands.nearest(*asked), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9)
    for place in ((10.0, 89.9), (0.001, -90.0), (359.99, 3.0)):
        np.testing.assert_array_equal(tree.closest(*place, 7)[0], bands.closest(*place, 7)[0])
        np.testing.assert_array_equal(tree.within(*place, 3.0), bands.within(*place, 3.0))
