import shutil
import time

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from data import cutouts
from data.pipeline.batches import read_parts
from data.readers.legacy_bricks import BrickSource, by_brick
from pcvae.cutouts import SampleInfo, SampleWriter, read_sample
from pcvae.errors import SampleError
from tests.data.services.stand_in import sky_header

BANDS = ("g", "r", "z")
SIZE = 32
SIDE = 400  # px, of the small bricks


def brick_header(ra, dec, side):
    header = sky_header(ra, dec, side)
    for card in ("BANDS", "SURVEY", "VERSION"):
        del header[card]
    return header


def write_brick(folder, name, place, side=SIDE, bands=BANDS, change=None):
    """Noise, in files that are named and laid out as the surveys' coadds are."""
    rng = np.random.default_rng(int(name[:4]))
    place_on_disk = folder / "coadd" / name[:3] / name
    place_on_disk.mkdir(parents=True)
    header, planes = brick_header(*place, side), {}
    for band in bands:
        plane = (0.01 * rng.standard_normal((side, side))).astype(np.float32)
        if change:
            change(band, plane)
        path = place_on_disk / f"legacysurvey-{name}-image-{band}.fits.fz"
        lossless = fits.CompImageHDU(plane, header, compression_type="GZIP_2", quantize_level=0)
        fits.HDUList([fits.PrimaryHDU(), lossless]).writeto(path)
        planes[band] = plane
    return np.stack(list(planes.values())), WCS(header)


def positions(wcs, x, y):
    ra, dec = wcs.pixel_to_world_values(x, y)
    return {"ra": ra, "dec": dec}


def run(folder, tmp_path, *options, out="out", **columns):
    n = len(columns["ra"])
    table = tmp_path / "in.csv"
    pd.DataFrame({"id": [f"g{row}" for row in range(n)]} | columns).to_csv(table, index=False)
    arguments = [table, tmp_path / out, "--bricks", folder, "--size", SIZE, "--workers", 1]
    cutouts.main([str(one) for one in (*arguments, *options)])
    sample = read_sample(tmp_path / out)
    return sample, pd.read_csv(tmp_path / out / "left_out.csv").set_index("id")


def test_cutouts_are_the_pixels_around_each_galaxy(tmp_path):
    flux, wcs = write_brick(tmp_path, "1500p020", (150.02, 2.03))
    x, y = np.array([100, 200, 333]), np.array([50, 200, 371])
    sample, left_out = run(tmp_path, tmp_path, **positions(wcs, x + 0.4, y - 0.4))
    for row in range(3):
        window = np.s_[:, y[row] - 16 : y[row] + 16, x[row] - 15 : x[row] + 17]
        np.testing.assert_array_equal(sample.flux[row], flux[window])
    assert left_out.empty
    assert sample.catalog["brick"].eq("1500p020").all()
    assert sample.catalog["north_angle"].to_numpy() == pytest.approx(np.pi / 2, abs=1e-3)
    assert sample.info.pixel_scale == 0.262
    assert "cut from the bricks" in sample.info.source


def test_other_bricks_do_not_finish_what_some_began(tmp_path, monkeypatch):
    _, wcs = write_brick(tmp_path / "bricks", "1500p020", (150.02, 2.03))
    places = positions(wcs, np.array([100.0]), np.array([200.0]))
    with monkeypatch.context() as patch:
        patch.setattr(cutouts, "_write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "bricks", tmp_path, **places)
    shutil.rmtree(tmp_path / "bricks")
    write_brick(tmp_path / "bricks", "1500p020", (150.02, 2.03), side=SIDE + 8)
    with pytest.raises(SampleError, match="other input"):
        run(tmp_path / "bricks", tmp_path, **places)


def test_where_bricks_overlap_the_one_is_taken_that_reaches_farther(tmp_path):
    step = (SIDE - 100) * 0.262 / 3600
    _, wcs = write_brick(tmp_path, "1500p000", (150.02, 0.0))
    write_brick(tmp_path, "1499p000", (150.02 - step, 0.0))
    x = np.array([325.0, 345.0, 375.0])  # the bricks share the columns from 300 to 400
    sample, left_out = run(tmp_path, tmp_path, **positions(wcs, x, np.full(3, 200.0)))
    brick = sample.catalog.set_index("id")["brick"]
    assert brick.to_dict() == {"g0": "1500p000", "g1": "1500p000", "g2": "1499p000"}
    assert left_out.empty
    assert list(sample.catalog["id"]) == ["g2", "g0", "g1"]


def test_galaxies_on_no_brick_or_at_its_edge_are_named(tmp_path):
    _, wcs = write_brick(tmp_path, "1500m020", (150.02, -2.03))
    place = positions(wcs, np.array([200.0, 5.0]), np.array([200.0, 200.0]))
    place = {k: [*v, other] for (k, v), other in zip(place.items(), (10.0, 40.0), strict=True)}
    sample, left_out = run(tmp_path, tmp_path, **place)
    assert list(sample.catalog["id"]) == ["g0"]
    assert left_out["reason"].to_dict() == {"g1": "galaxy too near the edge", "g2": "no brick"}


def test_a_missing_band_an_empty_region_and_a_broken_file_are_named(tmp_path):
    def hole(band, plane):
        if band == "z":
            plane[:150] = 0

    _, first = write_brick(tmp_path, "1500p000", (150.02, 0.0), bands=("g", "r"))
    _, second = write_brick(tmp_path, "1600p000", (160.02, 0.0), change=hole)
    _, third = write_brick(tmp_path, "1700p000", (170.02, 0.0))
    broken = tmp_path / "coadd/170/1700p000/legacysurvey-1700p000-image-r.fits.fz"
    broken.write_bytes(broken.read_bytes()[:20_000])
    places = [
        positions(first, 200.0, 200.0),
        positions(second, 200.0, 100.0),
        positions(second, 200.0, 300.0),
        positions(third, 200.0, 200.0),
    ]
    columns = {k: [float(place[k]) for place in places] for k in ("ra", "dec")}
    sample, left_out = run(tmp_path, tmp_path, **columns)
    assert list(sample.catalog["id"]) == ["g2"]
    assert left_out["reason"].to_dict() == {
        "g0": "missing band",
        "g1": "band without data",
        "g3": "file unreadable",
    }


def test_a_folder_without_bricks_says_what_belongs_there(tmp_path):
    with pytest.raises(SampleError, match=r"legacysurvey-BRICK-image-BAND\.fits\.fz"):
        run(tmp_path, tmp_path, ra=[1.0], dec=[1.0])


@pytest.mark.slow
def test_a_thousand_galaxies_are_cut_from_one_brick_at_over_200_a_second(tmp_path):
    _, wcs = write_brick(tmp_path, "1500p020", (150.02, 2.03), side=3600)
    rng = np.random.default_rng(0)
    n = 1000
    place = positions(wcs, *rng.uniform(64, 3535, (2, n)))
    table = pd.DataFrame({"id": np.arange(n).astype(str), **place, "north_angle": np.nan})
    info = SampleInfo("fast", "simulated for a test", BANDS, 0.262, 128)
    begun = time.process_time()
    candidates = by_brick(table, tmp_path)
    writer = SampleWriter(tmp_path / "out", info, n, {})
    taken = sum(
        len(part.rows)
        for part in read_parts(BrickSource(tmp_path, candidates, BANDS), candidates, writer)
    )
    rate = n / (time.process_time() - begun)
    assert taken == n
    assert rate > 200, f"{rate:.0f} cutouts a second and core"
