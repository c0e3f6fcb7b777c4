"""Formats that others publish: the authors' arrays, Galaxy10, HATS and Parquet, Rubin's FITS."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits

from data import ingest
from data.published.column_mapping import read_catalog
from data.readers.parquet_images import ColumnSource
from pcvae.cutouts import read_sample
from pcvae.errors import CatalogError, PcvaeError, SampleError, SettingsError, ShapeError
from tests.data.services.stand_in import pixels, sky_header

SIZE = 32
LN10 = np.log(10)


def run(place, out, *options):
    ingest.main([str(one) for one in (place, out, *options)])
    return read_sample(out)


def galaxies(n, size=SIZE, start=0):
    """Cutouts (n, 3, size, size) in g, r, z."""
    return np.stack([pixels(100.0 + start + row, 0.0, size) for row in range(n)])


def rows(*numbers):
    return np.array(numbers, np.float64)


def write_published(folder, save=np.savez):
    """The authors' five files, each in its own order of columns."""
    folder.mkdir()
    last = galaxies(2, SIZE + 4).transpose(0, 2, 3, 1)
    gama = rows([7001, 0.2, 10, 0.5, 0.1, 0.2], [7002, 0.3, 11, -0.5, 0.11, 0.21])
    save(folder / "Gama_16k_specz.npz", x=last, y=gama)
    one = [5, 0.5, 9, 9.5, 0.4, 0.6, 0.1 * LN10, 0.2 * LN10]
    two = [5, 0.6, 8, 8.5, -1, -1, 0.1 * LN10, 0.2 * LN10]
    save(
        folder / "Zou_10k_specz.npz",
        x=galaxies(2, start=2).transpose(0, 2, 3, 1).astype(np.float64),
        y=rows(one, two),
    )
    save(
        folder / "RedSpirals.npz", x=galaxies(2, start=4).transpose(0, 2, 3, 1), y=rows(0.05, 0.06)
    )
    save(
        folder / "GreenPeas.npz",
        x=galaxies(1, start=6).transpose(0, 2, 3, 1),
        y=rows([0.3, 9.5, 10.0]),
    )
    flux = np.clip(galaxies(3), -0.5, 10)
    stretched = (flux / np.sqrt(1 + flux**2))[:, [2, 1, 0]].transpose(0, 2, 3, 1)
    save(
        folder / "FullSample_26k_photoz_wOrientation.npz",
        x=stretched,
        y=rows(*[[0.2 + row, 10, 9.5, 0.1, 0.2, 0.3, 0.1] for row in range(3)]),
    )
    return folder


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_the_authors_raw_arrays_become_one_sample(tmp_path, save):
    sample = run(write_published(tmp_path / "in", save), tmp_path / "out")
    assert (sample.info.size, sample.info.pixel_scale, sample.info.bands) == (
        SIZE,
        0.262,
        ("g", "r", "z"),
    )
    assert sample.info.rare == ("green_pea", "red_spiral")
    assert list(sample.catalog["id"]) == [
        *("gama_7001", "gama_7002", "zou_5_2", "zou_5_3"),
        *("red_spiral_0", "red_spiral_1", "green_pea_0"),
    ]
    np.testing.assert_array_equal(sample.flux[0], galaxies(1, SIZE + 4)[0][:, 2:-2, 2:-2])
    np.testing.assert_array_equal(sample.flux[2:], galaxies(5, start=2))


def test_each_of_the_authors_files_has_its_own_columns_and_units(tmp_path):
    table = run(write_published(tmp_path / "in"), tmp_path / "out").catalog.set_index("id")
    names = ["redshift", "log_mass", "log_sfr", "log_mass_err", "log_sfr_err"]
    assert table.loc["gama_7001", names].tolist() == pytest.approx([0.2, 10, 0.5, 0.1, 0.2])
    assert table.loc["zou_5_2", names].tolist() == pytest.approx([0.5, 9, 0.5, 0.1, 0.2])
    assert table.loc["zou_5_2", "redshift_err"] == pytest.approx(0.1)
    assert np.isnan(table.loc["zou_5_3", "redshift_err"])
    assert table.loc["red_spiral_1", "redshift"] == 0.06
    assert table.loc["green_pea_0", names[:3]].tolist() == pytest.approx([0.3, 9.5, 1.0])
    assert table["survey"].value_counts().to_dict() == {
        "GAMA DR4": 2,
        "Zou+2022": 2,
        "Red Spirals": 2,
        "Green Peas": 1,
    }


def test_the_full_sample_is_stretched_and_its_planes_reordered(tmp_path):
    file = write_published(tmp_path / "in") / "FullSample_26k_photoz_wOrientation.npz"
    sample = run(file, tmp_path / "out")
    flux = galaxies(3)
    expected = np.clip(flux / np.sqrt(1 + flux**2), 0, 1)
    np.testing.assert_allclose(sample.flux[:], expected, atol=1e-6)
    assert (sample.info.unit, sample.info.bands) == ("stretched", ("g", "r", "z"))
    assert sample.catalog["log_sfr"].to_numpy() == pytest.approx(0.5)
    assert sample.catalog["catalog_orientation"].eq(0.3).all()
    assert sample.catalog["catalog_orientation_err"].eq(0.1).all()


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.zeros((2, 8, 9, 3)), np.zeros((2, 6)), r"expected x \(N, S, S, 3\)"),
        (np.zeros((2, 8, 8, 3)), np.zeros((2, 4)), "at least 6 columns of y .* found 4"),
        (np.array([{}], dtype=object), np.zeros((2, 6)), "cannot be read"),
    ],
)
def test_other_arrays_of_the_same_name_are_refused(tmp_path, x, y, message):
    np.savez(tmp_path / "Gama_16k_specz.npz", x=x, y=y)
    with pytest.raises(ShapeError, match=message):
        run(tmp_path, tmp_path / "out")


def test_the_authors_bands_are_what_they_are(tmp_path):
    with pytest.raises(SettingsError, match="are of bands g,r,z, found z,r,g"):
        run(write_published(tmp_path / "in"), tmp_path / "out", "--bands", "z,r,g")


def write_galaxy10(path, n=4, **change):
    h5py = pytest.importorskip("h5py")
    shown = np.round(255 * np.clip(galaxies(n) / 3, 0, 1)).astype(np.uint8)
    arrays = {
        "images": shown[:, ::-1, ::-1].transpose(0, 2, 3, 1),
        "ans": np.arange(n, dtype=np.uint8),
        "ra": np.linspace(10, 20, n),
        "dec": np.linspace(0, 1, n),
        "redshift": np.full(n, 0.1),
        "pxscale": np.full(n, 0.262),
    }
    with h5py.File(path, "w") as file:
        for name, values in (arrays | change).items():
            file[name] = values
    return shown


def test_galaxy10_is_taken_with_its_classes(tmp_path):
    shown = write_galaxy10(tmp_path / "Galaxy10_DECals.h5")
    options = ("--population-column", "category", "--rare", "merging")
    sample = run(tmp_path, tmp_path / "out", *options)
    assert list(sample.catalog["population"]) == [
        *("disturbed", "merging", "round_smooth", "in_between_smooth"),
    ]
    assert sample.info.rare == ("merging",)
    assert (sample.info.unit, sample.info.pixel_scale) == ("stretched", 0.262)
    np.testing.assert_allclose(sample.flux[:], shown / 255, atol=1e-6)
    assert sample.catalog["redshift"].eq(0.1).all()


def test_another_hdf5_file_is_refused(tmp_path):
    write_galaxy10(tmp_path / "Galaxy10_DECals.h5", ans=np.full(4, 10, np.uint8))
    with pytest.raises(ShapeError, match="classes below 10"):
        run(tmp_path, tmp_path / "out")
    (tmp_path / "Galaxy10_DECals.h5").write_bytes(b"not HDF5")
    with pytest.raises(ShapeError, match="expected datasets 'images' and 'ans'"):
        run(tmp_path, tmp_path / "out")


def write_hats(folder, image, n=5):
    """A catalogue in two cells of the sky, as HATS lays it out, with a hidden metadata file."""
    table = pa.table(
        {
            "_healpix_29": np.arange(n),
            "object_id": [f"h{row}" for row in range(n)],
            "ra": np.linspace(100, 110, n),
            "dec": np.zeros(n),
            "Z": np.linspace(0.1, 0.5, n),
            "image": [image(flux) for flux in galaxies(n)],
        }
    )
    for number, part in enumerate((table[:3], table[3:])):
        cell = folder / "dataset" / "Norder=1" / "Dir=0" / f"Npix={number}.parquet"
        cell.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(part, cell, row_group_size=2)
    pq.write_metadata(table.schema, folder / "dataset" / "_metadata")
    pq.write_table(table[:1], folder / "dataset" / "_common.parquet")
    (folder / "hats.properties").write_text("dataproduct_type=object\n")
    return folder


def nested(flux):
    return flux.tolist()


def flat(flux):
    return flux.ravel().tolist()


def multimodal(flux):
    bands = ["des-z", "des-r", "des-g"]
    return {"band": bands, "flux": flux[::-1].tolist(), "scale": [0.262] * 3}


@pytest.mark.parametrize("image", [nested, flat])
def test_images_in_a_column_of_lists_are_taken(tmp_path, image):
    folder = write_hats(tmp_path / "in", image)
    options = ("--image-column", "image", "--columns", "id=object_id,redshift=Z")
    with pytest.raises(SettingsError, match="--bands g,r,z"):
        run(folder, tmp_path / "out", *options)
    options += ("--bands", "g,r,z", "--pixel-scale", 0.2)
    sample = run(folder, tmp_path / "out", *options)
    np.testing.assert_array_equal(sample.flux[:], galaxies(5))
    assert list(sample.catalog["id"]) == ["h0", "h1", "h2", "h3", "h4"]
    assert sample.catalog["redshift"].to_numpy() == pytest.approx(np.linspace(0.1, 0.5, 5))
    assert "_healpix_29" not in sample.catalog
    assert sample.info.pixel_scale == 0.2


def test_images_of_the_multimodal_universe_say_their_bands_and_scale(tmp_path):
    folder = write_hats(tmp_path / "in", multimodal)
    options = ("--image-column", "image", "--columns", "id=object_id", "--bands", "g,r,z")
    sample = run(folder, tmp_path / "out", *options)
    np.testing.assert_array_equal(sample.flux[:], galaxies(5))
    assert sample.info.pixel_scale == 0.262


def test_a_hats_catalogue_without_images_is_a_table(tmp_path):
    table = read_catalog(write_hats(tmp_path / "in", nested))
    assert list(table["object_id"]) == ["h0", "h1", "h2", "h3", "h4"]
    assert list(table.columns) == ["object_id", "ra", "dec", "Z"]


def test_rows_without_an_image_are_left_out(tmp_path):
    images = {0: None, 1: [1.0, 2.0]}
    seen = iter(range(5))
    folder = write_hats(tmp_path / "in", lambda flux: images.get(4 - next(seen), flux.ravel()))
    options = ("--image-column", "image", "--columns", "id=object_id", "--bands", "g,r,z")
    sample = run(folder, tmp_path / "out", *options)
    left_out = pd.read_csv(tmp_path / "out" / "left_out.csv").set_index("id")
    assert list(sample.catalog["id"]) == ["h0", "h1", "h2"]
    assert left_out["reason"].to_dict() == {"h3": "no image", "h4": "no image"}


@pytest.mark.parametrize(
    ("nothing", "image", "bands"),
    [
        (None, nested, ("--bands", "g,r,z")),
        ([], flat, ("--bands", "g,r,z")),
        ([1.0, 2.0], flat, ("--bands", "g,r,z")),
        (None, multimodal, ()),
        ({"band": ["des-g"], "flux": [], "scale": [0.2]}, multimodal, ()),
    ],
)
def test_the_first_row_may_be_without_an_image(tmp_path, nothing, image, bands):
    seen = iter([nothing, *map(image, galaxies(4))])
    folder = write_hats(tmp_path / "in", lambda _: next(seen))
    options = ("--image-column", "image", "--columns", "id=object_id", *bands)
    sample = run(folder, tmp_path / "out", *options)
    assert list(sample.catalog["id"]) == ["h1", "h2", "h3", "h4"]
    left_out = pd.read_csv(tmp_path / "out" / "left_out.csv")
    assert list(left_out["reason"]) == ["no image"]


def test_a_column_without_any_image_is_named(tmp_path):
    folder = write_hats(tmp_path / "in", lambda _: [1.0, 2.0])
    options = ("--image-column", "image", "--columns", "id=object_id", "--bands", "g,r,z")
    with pytest.raises(CatalogError, match="expected images in the column 'image'"):
        run(folder, tmp_path / "out", *options)


def files_open():
    return len(list(Path("/dev/fd").iterdir()))


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="open files cannot be counted here")
def test_a_catalogue_of_many_files_needs_few_of_them_open(tmp_path):
    one = write_hats(tmp_path / "in", nested, n=1) / "dataset" / "_common.parquet"
    for number in range(40):
        shutil.copy(one, tmp_path / f"{number}.parquet")
    shutil.rmtree(tmp_path / "in")
    open_before = files_open()
    source = ColumnSource(tmp_path, "image", ("g", "r", "z"), None)
    flux = [source.read(row).flux for row in range(40)]
    assert files_open() < open_before + 5
    np.testing.assert_array_equal(flux, np.tile(galaxies(1), (40, 1, 1, 1)))


def test_a_parquet_file_needs_its_column(tmp_path):
    table = write_hats(tmp_path / "in", nested) / "dataset" / "_common.parquet"
    table = table.rename(tmp_path / "one.parquet")
    with pytest.raises(CatalogError, match="expected a column 'picture'"):
        run(table, tmp_path / "out", "--image-column", "picture", "--columns", "id=object_id")
    with pytest.raises(CatalogError, match="expected Parquet files"):
        run(tmp_path / "nowhere", tmp_path / "out", "--image-column", "image")


def test_a_broken_parquet_file_is_named(tmp_path):
    (tmp_path / "one.parquet").write_bytes(b"PAR1 broken")
    with pytest.raises(PcvaeError, match=r"one\.parquet cannot be read"):
        run(tmp_path / "one.parquet", tmp_path / "out", "--image-column", "image")


def write_bands(folder, flux, unit):
    """One galaxy as Rubin hands it out: image, mask and variance a file, a file a band."""
    folder.mkdir()
    pd.DataFrame({"id": ["a"], "ra": [100.0], "dec": [0.0]}).to_csv(
        folder / "catalog.csv", index=False
    )
    for band, plane in zip("gri", flux, strict=True):
        header = sky_header(100.0, 0.0, SIZE, 0.2, BUNIT=unit, FILTER=band)
        for card in ("BANDS", "SURVEY", "VERSION"):
            del header[card]
        hdus = [fits.PrimaryHDU(), fits.ImageHDU(plane, header, name="IMAGE")]
        hdus += [fits.ImageHDU(np.ones_like(plane), header, name=n) for n in ("MASK", "VARIANCE")]
        fits.HDUList(hdus).writeto(folder / f"a_{band}.fits")
    return folder


@pytest.mark.parametrize(
    ("unit", "nanomaggy"),
    [
        *(("", 1), ("nanomaggy", 1), ("Nanomaggies", 1), ("nMgy/pix", 1)),
        *(("nJy", 3631), ("nanojansky", 3631), ("nJy / pixel", 3631)),
        *(("uJy", 3.631), ("Jy", 3.631e-6), ("erg/s/cm2/Hz", 3.631e-29)),
    ],
)
def test_flux_densities_are_brought_to_nanomaggies(tmp_path, unit, nanomaggy):
    flux = galaxies(1)[0]
    folder = write_bands(tmp_path / "in", flux * np.float32(nanomaggy), unit)
    sample = run(folder, tmp_path / "out", "--bands", "g,r,i", "--size", SIZE)
    np.testing.assert_allclose(sample.flux[0], flux, rtol=1e-5, atol=1e-7)
    assert sample.info.pixel_scale == 0.2


@pytest.mark.parametrize("unit", ["mag", "mag(AB)", "njy", "adu", "MJy/sr"])
def test_pixels_in_a_unit_that_is_no_flux_density_are_left_out(tmp_path, unit):
    folder = write_bands(tmp_path / "in", galaxies(1)[0], unit)
    with pytest.raises(SampleError, match=r"all 1 left out \(other unit\)"):
        run(folder, tmp_path / "out", "--bands", "g,r,i", "--size", SIZE)


def test_the_unit_of_an_image_that_is_not_wanted_does_not_matter(tmp_path):
    flux = galaxies(1)[0]
    folder = write_bands(tmp_path / "in", flux, "nanomaggy")
    for band in "gri":
        with fits.open(folder / f"a_{band}.fits", mode="append") as hdus:
            exposure = np.ones((SIZE, SIZE), np.float32)
            hdus.append(fits.ImageHDU(exposure, fits.Header({"BUNIT": "s"}), name="EXPOSURE"))
    sample = run(folder, tmp_path / "out", "--bands", "g,r,i", "--size", SIZE)
    np.testing.assert_array_equal(sample.flux[0], flux)
