"""Downloads of a catalogue: outages, refusals, kills, caches, and changed commands."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data import cutouts
from data.services.http_client import NoResponseError, RateLimitedError
from data.services.legacy_surveys import (
    CutoutRequest,
)
from pcvae.cutouts import PART, read_sample
from pcvae.errors import CatalogError, PcvaeError, SampleError, SettingsError
from pcvae.folders import partial_folder
from tests.data.services.catalogue_run import QUICK, SIZE, catalogue, place, run
from tests.data.services.stand_in import Answer, as_fits, cutout, serving, sky_header

ROOT = Path(__file__).parents[3]


def test_no_more_requests_are_under_way_than_allowed(tmp_path):
    slow = lambda asked: cutout(asked)._replace(delay=0.05)  # noqa: E731
    with serving(slow) as service:
        run(service, tmp_path, "--at-once", "3", n=12)
    assert service.most_under_way == 3


def test_the_public_service_is_not_asked_for_too_much_at_once(tmp_path):
    table = catalogue(tmp_path / "in.csv")
    with pytest.raises(SettingsError, match="--at-once is 1 to 8 for the public service"):
        cutouts.main([str(table), str(tmp_path / "out"), "--at-once", "9"])


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


def test_known_dust_is_corrected_in_downloaded_cutouts(service, tmp_path):
    """Of pixels and of the fluxes that are measured; a galaxy without E(B-V) stays as it is."""
    ebv = [0.1, 0.2, "", 0.0, 0.3]
    before, _ = run(service, tmp_path, "--dust", "leave", out="before", ebv=ebv)
    after, _ = run(service, tmp_path, out="after", ebv=ebv)
    assert (before.info.dust, after.info.dust) == ("left", "corrected")
    assert after.info.extinction == {"g": 3.214, "r": 2.165, "z": 1.211}
    excess = np.array([0.1, 0.2, 0.0, 0.0, 0.3])[:, None]
    factors = 10 ** (0.4 * excess * np.array([3.214, 2.165, 1.211]))
    where = slice(None)
    expected = before.pixels(where) * factors[:, :, None, None]
    np.testing.assert_allclose(after.pixels(where), expected, rtol=1e-5)
    flux = [table.catalog[["flux_g", "flux_z"]].to_numpy() for table in (before, after)]
    np.testing.assert_allclose(flux[1] / flux[0], factors[:, [0, 2]], rtol=0.02)


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
    (tmp_path / "in.csv").write_text("number,ra,dec\n1,2,3\n")
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


def kill_after(service, requests, call):
    """Call a command and kill it when it has made so many requests."""
    process = subprocess.Popen(call, cwd=ROOT, start_new_session=True, stderr=subprocess.DEVNULL)
    while len(service.asked) < requests:
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_a_killed_download_of_hundreds_asks_only_for_what_is_missing(service, tmp_path):
    """The end is the same catalogue and the same pixels as without a kill."""
    n, at_once = 600, 8
    answer, killed_it = quick_cutout(), threading.Event()

    def answer_half(asked):
        if len(service.asked) > n / 2:  # however fast it is, the rest comes after the kill
            killed_it.wait(60)
        return answer(asked)

    service.answer = answer_half
    table = catalogue(tmp_path / "in.csv", n)
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    options = ["--base-url", service.url, *QUICK, "--at-once", str(at_once)]
    call = [sys.executable, "-m", "data.cutouts", str(table), str(killed), *options]
    kill_after(service, n / 2, call)
    killed_it.set()
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
