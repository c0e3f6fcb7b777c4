import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data import catalogs, cutouts
from data.readers.raw_image import LeftOutError
from data.services.http_client import FetchError, NoResponseError, RateLimitedError, RetryPolicy
from data.services.legacy_surveys import (
    CutoutRequest,
    check_answer,
    cutout_request,
    fetch_cutout,
    read_served,
)
from pcvae.cutouts import PART, SampleInfo, read_sample
from pcvae.errors import CatalogError, PcvaeError, SampleError, SettingsError
from pcvae.folders import partial_folder
from tests.data.services.stand_in import Answer, as_fits, cutout, pixels, serving, sky_header
from tests.real import needs_real_data

SIZE = 32
ROOT = Path(__file__).parents[3]
QUICK = ["--size", str(SIZE), "--back-off", "0.02", "--timeout", "2", "--workers", "1"]


@pytest.fixture
def service():
    with serving(cutout) as service:
        yield service


def catalogue(path, n=5, **columns):
    rng = np.random.default_rng(0)
    table = {"id": [f"g{row}" for row in range(n)]}
    table |= {"ra": rng.uniform(100, 200, n).round(6), "dec": rng.uniform(-20, 30, n).round(6)}
    pd.DataFrame(table | columns).to_csv(path, index=False)
    return path


def run(service, tmp_path, *options, n=5, out="out", **columns):
    table = catalogue(tmp_path / "in.csv", n, **columns)
    arguments = [table, tmp_path / out, "--base-url", service.url, *QUICK, *options]
    cutouts.main([str(one) for one in arguments])
    sample = read_sample(tmp_path / out)
    return sample, pd.read_csv(tmp_path / out / "left_out.csv").set_index("id")


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


def test_no_more_requests_are_under_way_than_allowed(tmp_path):
    slow = lambda asked: cutout(asked)._replace(delay=0.05)  # noqa: E731
    with serving(slow) as service:
        run(service, tmp_path, "--at-once", "3", n=12)
    assert service.most_under_way == 3


def test_the_public_service_is_not_asked_for_too_much_at_once(tmp_path):
    table = catalogue(tmp_path / "in.csv")
    with pytest.raises(SettingsError, match="--at-once is 1 to 8 for the public service"):
        cutouts.main([str(table), str(tmp_path / "out"), "--at-once", "9"])


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


@pytest.mark.parametrize(
    "trouble",
    [
        Answer(status=500),
        Answer(status=429, headers={"Retry-After": "1"}),
        Answer(status=429),
        Answer(b"<html>busy</html>"),
        Answer(b"SIMPLE  =" + b"x" * 10_000, cut=3000),
        Answer(delay=2.5),
    ],
    ids=["500", "429 with Retry-After", "429", "HTML", "cut off", "slow"],
)
def test_a_passing_trouble_leaves_no_trace(service, tmp_path, trouble):
    service.troubles = [trouble]
    sample, left_out = run(service, tmp_path, "--timeout", "1")
    assert len(sample) == 5
    assert left_out.empty


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


def test_a_dead_service_stops_the_command_and_a_live_one_resumes_it(service, tmp_path):
    service.answer = lambda asked: Answer(status=503)
    with pytest.raises(NoResponseError, match=r"HTTP 503.*the same command goes on"):
        run(service, tmp_path, "--tries", "1")
    service.answer = cutout
    sample, left_out = run(service, tmp_path, "--tries", "1")
    assert len(sample) == 5
    assert left_out.empty


def failing_after(many):
    """The first ``many`` requests are answered, no other."""
    left = iter(range(many))
    return lambda asked: Answer(status=503) if next(left, None) is None else cutout(asked)


def test_an_outage_loses_no_galaxy(service, tmp_path):
    """It begins within a part, the rest of which has its answers already."""
    service.answer = failing_after(PART - 6)
    with pytest.raises(NoResponseError, match="the same command goes on"):
        run(service, tmp_path, "--tries", "1", n=PART + 36)
    asked, service.answer = len(service.asked), cutout
    sample, left_out = run(service, tmp_path, "--tries", "1", n=PART + 36)
    assert len(sample) == PART + 36
    assert left_out.empty
    assert len(service.asked) - asked <= 6 + 36


def test_an_outage_near_the_end_loses_no_galaxy(service, tmp_path):
    """Too few galaxies are left to notice it by many in a row."""
    service.answer = failing_after(PART)
    with pytest.raises(NoResponseError, match="the same command goes on"):
        run(service, tmp_path, "--tries", "1", n=PART + 3)
    service.answer = cutout
    sample, _ = run(service, tmp_path, "--tries", "1", n=PART + 3)
    assert len(sample) == PART + 3


def silent_at(ras, others):
    """Some galaxies never get an answer."""
    silent = set(ras.map("{:.6f}".format))
    return lambda asked: Answer(status=500) if asked.query["ra"] in silent else others(asked)


def test_galaxies_here_and_there_that_get_no_answer_do_not_stop_a_second_call(service, tmp_path):
    """It asks for them alone, as the others are on disk, but they are not in a row."""
    n = 4 * PART
    bad = pd.read_csv(catalogue(tmp_path / "in.csv", n))[::3]
    service.answer = silent_at(bad["ra"], failing_after(2 * PART))
    with pytest.raises(NoResponseError, match=r"\d\d galaxies in a row"):
        run(service, tmp_path, "--tries", "1", n=n)
    service.answer = silent_at(bad["ra"], cutout)
    sample, left_out = run(service, tmp_path, "--tries", "1", n=n)
    assert len(sample) == n - len(bad)
    assert set(left_out.index) == set(bad["id"])
    assert set(left_out["reason"]) == {"no usable answer"}


def test_one_galaxy_that_gets_no_answer_does_not_stop_the_next_call(
    service, tmp_path, monkeypatch
):
    """All that is left to do is the one galaxy."""
    n = PART + 1
    service.answer = silent_at(pd.read_csv(catalogue(tmp_path / "in.csv", n))["ra"][-1:], cutout)
    with monkeypatch.context() as patch:
        patch.setattr("pcvae.cutouts.SampleWriter.missing", lambda _: [0])
        patch.setattr("pcvae.cutouts.SampleWriter.finish", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(service, tmp_path, "--tries", "1", n=n)
    sample, left_out = run(service, tmp_path, "--tries", "1", n=n)
    assert len(sample) == PART
    assert list(left_out["reason"]) == ["no usable answer"]


def test_a_refusal_of_all_galaxies_is_asked_again_by_the_next_call(service, tmp_path):
    service.answer = lambda asked: Answer(status=404)
    with pytest.raises(SampleError, match="refused by the service"):
        run(service, tmp_path)
    service.answer = cutout
    sample, _ = run(service, tmp_path)
    assert len(sample) == 5


def test_a_service_that_wants_to_be_left_alone_is_asked_no_more(service, tmp_path):
    service.answer = lambda asked: Answer(status=429, headers={"Retry-After": "3600"})
    with pytest.raises(RateLimitedError, match="60 minutes"):
        run(service, tmp_path, "--at-once", "4", n=2 * PART)
    assert len(service.asked) <= 4
    service.answer = cutout
    sample, left_out = run(service, tmp_path, "--at-once", "4", n=2 * PART)
    assert len(sample) == 2 * PART
    assert left_out.empty


def test_offline_is_said_in_a_sentence(tmp_path):
    with serving(cutout) as service:
        pass
    with pytest.raises(PcvaeError, match="no connection"):
        run(service, tmp_path, "--tries", "2")


def test_other_pixels_keep_their_flux(service, tmp_path):
    # The service hands out what a pixel of 0.262 arcsec would hold, whatever the size asked for.
    sample, _ = run(service, tmp_path, "--pixel-scale", "0.131", n=1)
    ra, dec = sample.catalog.loc[0, ["ra", "dec"]]
    np.testing.assert_allclose(sample.flux[0], pixels(ra, dec, SIZE) / 4, rtol=1e-4)


def test_a_cache_serves_the_next_sample(service, tmp_path):
    first, _ = run(service, tmp_path, "--cache", tmp_path / "cache")
    asked = len(service.asked)
    second, _ = run(service, tmp_path, "--cache", tmp_path / "cache", out="second")
    assert len(service.asked) == asked
    np.testing.assert_array_equal(first.flux[:], second.flux[:])


def test_workers_change_nothing(service, tmp_path):
    one, _ = run(service, tmp_path, n=70)
    two, _ = run(service, tmp_path, "--workers", "2", n=70, out="two")
    pd.testing.assert_frame_equal(one.catalog, two.catalog)


def test_the_size_is_estimated_before_it_starts(service, tmp_path, capsys):
    run(service, tmp_path, "--size", "128", n=2)
    assert "2 cutouts of 202 kB, 0.00 GB in all" in capsys.readouterr().out
    assert abs(CutoutRequest().file_bytes - len(service.answer(service.asked[0]).body)) <= 2880


def test_a_full_disk_is_noticed_before_it_starts(service, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    with pytest.raises(SampleError, match="GB of room"):
        run(service, tmp_path)
    assert not service.asked


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--size", "600"], "expected a size of 8 to 512 px"),
        (["--size", "4"], "--size must be at least 8"),
        (["--pixel-scale", "0"], "--pixel-scale must be positive"),
        (["--bands", "g,red"], "bands of one letter each, found g,red"),
        (["--timeout", "0"], "--timeout must be positive"),
        (["--tries", "0"], "--tries must be at least 1"),
        (["--rare", "odd"], "--rare names 'odd'"),
    ],
)
def test_settings_that_cannot_work_are_refused(service, tmp_path, options, message):
    with pytest.raises(SettingsError, match=message):
        run(service, tmp_path, *options)
    assert not service.asked


def test_a_catalogue_without_ids_says_how_to_name_them(service, tmp_path):
    (tmp_path / "in.csv").write_text("objid,ra,dec\n1,2,3\n")
    with pytest.raises(CatalogError, match="--columns id=NAME"):
        cutouts.main([str(tmp_path / "in.csv"), str(tmp_path / "out")])


def test_a_changed_command_does_not_mix_with_what_is_there(service, tmp_path):
    service.answer = lambda asked: Answer(status=503)
    with pytest.raises(NoResponseError):
        run(service, tmp_path, "--tries", "1")
    with pytest.raises(SampleError, match="begun with other settings"):
        run(service, tmp_path, "--layer", "ls-dr10")


def test_a_catalogue_in_another_order_does_not_finish_what_one_began(service, tmp_path):
    """Files on disk are named by row, and would be taken for other galaxies."""
    service.answer = lambda asked: Answer(status=503)
    with pytest.raises(NoResponseError):
        run(service, tmp_path, "--tries", "1")
    turned = pd.read_csv(tmp_path / "in.csv").iloc[::-1].to_dict("list")
    with pytest.raises(SampleError, match="other input"):
        run(service, tmp_path, "--tries", "1", **turned)


def quick_cutout():
    """Answer with noise, in a tenth of the time."""
    places = sky_header(111.0, 11.0, SIZE)
    template = as_fits(np.zeros((3, SIZE, SIZE), np.float32), places)
    length = 3 * SIZE * SIZE
    start = len(template) - -(-4 * length // 2880) * 2880

    def answer(asked):
        ra, dec = asked.query["ra"], asked.query["dec"]
        noise = np.random.default_rng(int(float(ra) * 1e6)).standard_normal(length) * 0.01
        head = template[:start].replace(b"111.0".rjust(20), ra.encode().rjust(20))
        head = head.replace(b"11.0".rjust(20), dec.encode().rjust(20))
        return Answer(head + noise.astype(">f4").tobytes() + template[start + 4 * length :])

    return answer


def place(asked):
    return asked.query["ra"], asked.query["dec"]


@pytest.mark.slow
def test_a_killed_download_of_2000_asks_only_for_what_is_missing(service, tmp_path):
    """The end is the same catalogue and the same pixels as without a kill."""
    n, at_once = 2000, 8
    service.answer = quick_cutout()
    table = catalogue(tmp_path / "in.csv", n)
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    options = ["--base-url", service.url, *QUICK, "--at-once", str(at_once)]
    call = [sys.executable, "-m", "data.cutouts", str(table), str(killed), *options]
    process = subprocess.Popen(call, cwd=ROOT, start_new_session=True, stderr=subprocess.DEVNULL)
    while len(service.asked) < n / 2:
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    time.sleep(0.5)
    assert n / 2 <= len(service.asked) < n
    assert not killed.exists()
    cutouts.main([str(table), str(killed), *options])
    # Only what was on its way when the process died is asked for twice.
    assert len(set(map(place, service.asked))) == n
    assert len(service.asked) <= n + at_once
    cutouts.main([str(table), str(whole), *options])
    assert (killed / "catalog.parquet").read_bytes() == (whole / "catalog.parquet").read_bytes()
    np.testing.assert_array_equal(read_sample(killed).flux[:], read_sample(whole).flux[:])
    assert len(read_sample(killed)) == n
    assert not partial_folder(killed).exists()
    left = {"catalog.parquet", "cutouts.zarr", "left_out.csv", "sample.json", "settings.json"}
    assert {path.name for path in killed.iterdir()} == left


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
