import os
import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data import catalogs, cutouts
from data.readers.raw_image import LeftOutError
from data.services.http_client import FetchError, RetryPolicy
from data.services.legacy_surveys import (
    CutoutRequest,
    check_answer,
    cutout_request,
    fetch_cutout,
    read_served,
)
from pcvae.cutouts import SampleInfo, read_sample
from tests.data.services.catalogue_run import QUICK, SIZE, catalogue, run
from tests.data.services.stand_in import Answer, as_fits, cutout, pixels, serving, sky_header
from tests.real import needs_real_data


def test_a_catalogue_becomes_a_sample_of_its_galaxies(service, tmp_path):
    sample, left_out = run(service, tmp_path, redshift=[0.1] * 5)
    assert list(sample.catalog["id"]) == ["g0", "g1", "g2", "g3", "g4"]
    for row, (ra, dec) in enumerate(zip(sample.catalog["ra"], sample.catalog["dec"], strict=True)):
        np.testing.assert_array_equal(sample.flux[row], pixels(ra, dec, SIZE))
    assert (sample.info.bands, sample.info.pixel_scale) == (("g", "r", "z"), 0.262)
    assert sample.catalog["redshift"].eq(0.1).all()
    assert sample.catalog["north_angle"].to_numpy() == pytest.approx(np.pi / 2, abs=1e-6)
    assert sample.catalog["flux_z"].gt(0).all()
    assert left_out.empty


def test_the_service_is_asked_as_its_users_ask_it(service, tmp_path):
    run(service, tmp_path, "--contact", "me@example.org", n=1)
    (asked,) = service.asked
    ra, dec = pd.read_csv(tmp_path / "in.csv").loc[0, ["ra", "dec"]]
    expected = {"layer": "ls-dr9-south", "pixscale": "0.262", "bands": "grz", "size": str(SIZE)}
    assert asked.query == {"ra": f"{ra:.6f}", "dec": f"{dec:.6f}"} | expected
    assert "me@example.org" in asked.headers["User-Agent"]


def test_the_layer_is_recorded(service, tmp_path):
    sample, _ = run(service, tmp_path, "--layer", "ls-dr10", "--bands", "g,r,i,z", n=2)
    assert sample.info.bands == ("g", "r", "i", "z")
    assert "layer ls-dr10" in sample.info.source
    assert "--layer ls-dr10" in sample.info.command
    assert sample.catalog["layer"].eq("ls-dr10").all()


def test_rare_populations_are_known_and_can_be_named(service, tmp_path):
    population = ["red_spiral", "field", "green_pea", "odd", "field"]
    sample, _ = run(service, tmp_path, population=population)
    assert sample.info.rare == ("red_spiral", "green_pea")
    sample, _ = run(service, tmp_path, "--rare", "odd", out="other", population=population)
    assert sample.info.rare == ("odd",)


def bad_bands(asked):
    return cutout(asked._replace(query=asked.query | {"bands": "gri"}))


def clipped(asked):
    return cutout(asked._replace(query=asked.query | {"size": str(SIZE - 4)}))


def other_scale(asked):
    return cutout(asked._replace(query=asked.query | {"pixscale": "0.3"}))


def elsewhere(asked):
    return cutout(asked._replace(query=asked.query | {"ra": str(float(asked.query["ra"]) + 0.01)}))


def with_pixels(change):
    def answer(asked):
        ra, dec = float(asked.query["ra"]), float(asked.query["dec"])
        flux = pixels(ra, dec, SIZE)
        change(flux)
        return Answer(as_fits(flux, sky_header(ra, dec, SIZE)))

    return answer


def not_a_number(flux):
    flux[1, 3:6, 3:6] = np.nan


def empty(flux):
    flux[:] = 0


def without_z(flux):
    flux[2] = 0


def html(asked):
    return Answer(
        b"<!DOCTYPE html><html>We are down</html>", headers={"Content-Type": "text/html"}
    )


def nameless(asked):
    ra, dec = float(asked.query["ra"]), float(asked.query["dec"])
    header = sky_header(ra, dec, SIZE)
    del header["BANDS"]
    return Answer(as_fits(pixels(ra, dec, SIZE), header))


def cut_inside(asked):
    return Answer(cutout(asked).body[:5000])


@pytest.mark.parametrize(
    ("answer", "reason", "detail"),
    [
        (bad_bands, "other bands", "asked for grz, got gri"),
        (nameless, "other bands", "asked for grz, got unnamed ones"),
        (clipped, "other size", r"asked for 32 px, got an array \(3, 28, 28\)"),
        (other_scale, "other pixel scale", 'asked for 0.262", got 0.3000"'),
        (elsewhere, "galaxy too near the edge", ""),
        (with_pixels(not_a_number), "pixels not finite", "9 in band r"),
        (with_pixels(empty), "outside the footprint", "layer ls-dr9-south"),
        (with_pixels(without_z), "band without data", "100% of band z"),
        (html, "no usable answer", "not a FITS file but begins with '<!DOCTYPE html>"),
        (cut_inside, "no usable answer", "the answer was cut off: 5000 of"),
        (lambda asked: Answer(b"no", 404), "refused by the service", "HTTP 404"),
        (lambda asked: Answer(status=500), "no usable answer", "HTTP 500"),
        (lambda asked: Answer(status=429), "no usable answer", "HTTP 429"),
        (lambda asked: Answer(b""), "no usable answer", "the answer is empty"),
    ],
)
def test_a_bad_answer_leaves_its_galaxy_out_and_the_rest_goes_on(tmp_path, answer, reason, detail):
    bad = f"{pd.read_csv(catalogue(tmp_path / 'in.csv'))['ra'][2]:.6f}"
    with serving(lambda asked: (answer if asked.query["ra"] == bad else cutout)(asked)) as service:
        sample, left_out = run(service, tmp_path, "--tries", "2")
    assert list(sample.catalog["id"]) == ["g0", "g1", "g3", "g4"]
    assert list(left_out.index) == ["g2"]
    assert left_out["reason"]["g2"] == reason
    assert re.search(detail, left_out["detail"]["g2"])


def test_a_redirect_leads_to_the_cutout(service, tmp_path):
    def moved(asked):
        query = "&".join(f"{k}={v}" for k, v in asked.query.items())
        return Answer(status=301, headers={"Location": f"{service.url}/fits-cutout?{query}"})

    with serving(moved) as old:
        sample, _ = run(old, tmp_path)
    assert len(sample) == 5


def test_galaxies_outside_the_survey_or_without_a_place_are_named(service, tmp_path):
    ra, dec = [100.0, 350.0, np.nan, 100.0], [0.0, 0.0, 0.0, 95.0]
    sample, left_out = run(service, tmp_path, n=4, ra=ra, dec=dec)
    assert list(sample.catalog["id"]) == ["g0"]
    assert left_out["reason"].to_dict() == {
        "g1": "outside the footprint",
        "g2": "no position",
        "g3": "no position",
    }


def test_other_pixels_keep_their_flux(service, tmp_path):
    # The service hands out what a pixel of 0.262 arcsec would hold, whatever the size asked for.
    sample, _ = run(service, tmp_path, "--pixel-scale", "0.131", n=1)
    ra, dec = sample.catalog.loc[0, ["ra", "dec"]]
    np.testing.assert_allclose(sample.flux[0], pixels(ra, dec, SIZE) / 4, rtol=1e-4)


def test_one_cutout_can_be_fetched_for_a_person(service):
    found = fetch_cutout(150.0, 2.0, CutoutRequest(size=SIZE), base_url=service.url)
    np.testing.assert_array_equal(found.flux, pixels(150.0, 2.0, SIZE))
    assert found.north_angle == pytest.approx(np.pi / 2, abs=1e-6)
    assert "ls-dr9-south" in found.source


@pytest.mark.parametrize(
    ("ra", "dec", "message"),
    [(350.0, 0.0, "outside the footprint"), (400.0, 0.0, "RA in 0 to 360"), (1.0, np.nan, "RA")],
)
def test_a_place_without_an_image_is_said_in_a_sentence(service, ra, dec, message):
    with pytest.raises(FetchError, match=message):
        fetch_cutout(ra, dec, CutoutRequest(size=SIZE), base_url=service.url)


def test_a_person_offline_learns_it_soon():
    with serving(cutout) as service:
        url = service.url
    begun = time.monotonic()
    with pytest.raises(FetchError, match="no connection"):
        fetch_cutout(150.0, 2.0, base_url=url, retry_policy=RetryPolicy(tries=2, back_off=0.1))
    assert time.monotonic() - begun < 2


def test_an_image_like_a_samples_is_asked_for(service, tmp_path):
    sample, _ = run(service, tmp_path, n=1)
    wanted = cutout_request(sample.info)
    assert wanted == CutoutRequest(size=SIZE)
    ra, dec = sample.catalog.loc[0, ["ra", "dec"]]
    found = fetch_cutout(ra, dec, wanted, base_url=service.url)
    np.testing.assert_array_equal(found.flux, sample.flux[0])
    assert cutout_request(sample.info, "ls-dr9").layer == "ls-dr9"
    assert cutout_request(replace(sample.info, bands=("g", "r", "i"))).layer == "ls-dr10"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"unit": "stretched"}, "in unit 'stretched'"),
        ({"bands": ("u", "g")}, "their bands are u,g"),
        ({"bands": ()}, "their bands are unknown"),
        ({"pixel_scale": None}, "pixel scale is unknown"),
        ({"size": 600}, "600 px wide"),
    ],
)
def test_images_that_the_service_does_not_have_are_said_in_a_sentence(change, why):
    info = SampleInfo("name", "source", ("g", "r", "z"), 0.262, 128)
    with pytest.raises(FetchError, match=f"no images like these: .*{why}"):
        cutout_request(replace(info, **change))


def test_a_folder_of_catalogues_leads_to_a_sample(service, tmp_path):
    table = catalogue(tmp_path / "field.csv", 3)
    peas = catalogue(tmp_path / "peas.csv", 2, id=["p0", "p1"], dec=[1.0, 2.0])
    first = ["--only", "none", "--table", table]
    rare = [str(tmp_path / "rare"), "--only", "none", "--table", str(peas)]
    rare = catalogs.main([*rare, "--population", "green_pea"]) / "catalog.parquet"
    folder = catalogs.main([str(one) for one in (tmp_path / "all", *first, "--table", rare)])
    out = tmp_path / "out"
    cutouts.main([str(one) for one in (folder, out, "--base-url", service.url, *QUICK)])
    sample = read_sample(out)
    assert sorted(sample.catalog["id"]) == ["g0", "g1", "g2", "p0", "p1"]
    assert sample.info.rare == ("green_pea",)
    assert not [name for name in sample.catalog if name.startswith("catalog_")]


def test_a_samples_own_catalogue_can_be_fetched_again(service, tmp_path):
    first, _ = run(service, tmp_path)
    table = tmp_path / "out" / "catalog.parquet"
    for name, more in (("second", table), ("third", tmp_path / "second" / "catalog.parquet")):
        arguments = [more, tmp_path / name, "--base-url", service.url, *QUICK]
        cutouts.main([str(one) for one in arguments])
        again = read_sample(tmp_path / name)
        np.testing.assert_array_equal(again.flux[:], first.flux[:])
        assert again.catalog["catalog_orientation"].equals(first.catalog["orientation"])
        assert again.catalog.columns.is_unique


@needs_real_data
def test_real_answers_of_the_service_pass_the_checks():
    folder = Path(os.environ["PCVAE_REAL_DATA"], "fits")
    content = (folder / "decals_dr5_162px.fits").read_bytes()
    check_answer(content)
    with pytest.raises(Exception, match="cut off"):
        check_answer((folder / "decals_truncated.fits").read_bytes())
    from astropy.io import fits

    header = fits.getheader(folder / "decals_dr5_162px.fits")
    place = header["CRVAL1"], header["CRVAL2"]
    picture = read_served(content, CutoutRequest(size=162), *place)
    np.testing.assert_array_equal(
        picture.flux, fits.getdata(folder / "decals_dr5_162px.fits").astype(np.float32)
    )
    with pytest.raises(LeftOutError, match="other size: asked for 128 px"):
        read_served(content, CutoutRequest(), *place)
