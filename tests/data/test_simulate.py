import hashlib
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from data.simulate import main
from pcvae.cutouts import read_sample
from pcvae.errors import SampleError, SettingsError
from pcvae.folders import partial_folder

FEW = ["--red-spirals", "1", "--green-peas", "1", "--hard-negatives", "1", "--size", "48"]


def content(folder):
    """What a sample holds, but for the time at which it was made and the command's words."""
    digest = hashlib.sha256((folder / "catalog.parquet").read_bytes())
    for path in sorted((folder / "cutouts.zarr").rglob("*")):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated") / "one"
    return read_sample(main([str(folder), "--galaxies", "125", *FEW]))


def test_a_sample_has_the_populations_that_were_asked_for(sample):
    counts = sample.catalog["population"].value_counts().to_dict()
    kinds = ("red_spiral", "green_pea", "blue_compact", "point_source", "dusty_spiral")
    assert counts == {"field": 125} | dict.fromkeys(kinds, 1)
    assert sample.info.rare == kinds[:2]
    assert sample.info.hard_negative == kinds[2:]
    assert "imulated" in sample.info.source


def test_every_galaxy_is_measured_labelled_and_placed(sample):
    table = sample.catalog
    assert table["id"].is_unique
    assert (table["survey"] == "decals-sim").all()
    np.testing.assert_allclose(table["north_angle"], np.pi / 2)
    assert table["dec"].between(-18, 32).all()
    assert table["ra"].between(0, 360).all()
    galaxies = table[table["population"] != "point_source"]
    for name in ("redshift", "log_mass", "log_sfr"):
        assert galaxies[[name, f"{name}_err", f"{name}_true"]].notna().all(axis=None)
    angle = galaxies["orientation_true"]
    assert ((angle > -np.pi / 2) & (angle <= np.pi / 2)).all()
    found = galaxies[galaxies["orientation_flag"] % 2 == 0]
    assert len(found) > 0.95 * len(galaxies)
    assert (found[["r50", "flux_r", "flux_r_err", "axis_ratio"]] > 0).all(axis=None)


def test_measured_fluxes_are_near_the_true_ones(sample):
    table = sample.catalog[sample.catalog["flux_r"].notna()]
    ratio = table["flux_r"] / table["flux_r_true"]
    assert 0.8 < ratio.median() < 1.1


def test_two_workers_make_the_sample_of_one(sample, tmp_path):
    other = main([str(tmp_path / "two"), "--galaxies", "125", *FEW, "--workers", "2"])
    pd.testing.assert_frame_equal(
        read_sample(other).catalog, read_sample(sample.folder).catalog, check_exact=True
    )
    assert content(other) == content(sample.folder)


def test_a_killed_run_goes_on_to_the_same_sample(sample, tmp_path, monkeypatch):
    command = [str(tmp_path / "begun"), "--galaxies", "125", *FEW]
    write = "pcvae.cutouts.SampleWriter.write"
    kept = []

    def write_once(writer, *args):
        if kept:
            raise KeyboardInterrupt
        kept.append(args)
        original(writer, *args)

    from pcvae.cutouts import SampleWriter

    original = SampleWriter.write
    with monkeypatch.context() as patch:
        patch.setattr(write, write_once)
        with pytest.raises(KeyboardInterrupt):
            main(command)
    assert partial_folder(tmp_path / "begun").exists()
    assert not (tmp_path / "begun").exists()
    assert content(main(command)) == content(sample.folder)


def test_the_last_line_is_the_next_command(tmp_path, capsys):
    folder = main([str(tmp_path / "s"), "--galaxies", "2", *FEW])
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith(f"next: python -m train.train {folder}")


def test_a_finished_sample_is_not_overwritten_unasked(sample):
    with pytest.raises(SampleError, match="--overwrite"):
        main([str(sample.folder), "--galaxies", "125", *FEW])


def test_sdss_colour_pictures_lie_between_black_and_white(tmp_path):
    options = ["--survey", "sdss", "--colour", "--galaxies", "8", *FEW]
    sample = read_sample(main([str(tmp_path / "colour"), *options]))
    pixels = np.asarray(sample.flux[:])
    assert sample.info.unit == "stretched"
    assert sample.info.bands == ("g", "r", "i")
    assert sample.info.pixel_scale == 0.25
    assert pixels.min() >= 0
    assert pixels.max() <= 1
    assert pixels[:, :, 20:28, 20:28].mean() > 4 * pixels[:, :, :8, :8].mean()


def test_bands_and_pixels_may_be_chosen(tmp_path):
    options = ["--bands", "g,r,i,z", "--pixel-scale", "0.4", "--galaxies", "2", *FEW]
    sample = read_sample(main([str(tmp_path / "s"), *options]))
    assert sample.flux.shape == (7, 4, 48, 48)
    assert {"flux_i", "flux_i_true"} <= set(sample.catalog.columns)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--pixel-scale", "0.9"], "to sample a seeing of 1.1 arcsec, up to 0.55, found 0.9"),
        (["--bands", "g,u"], "out of g r i z for decals-sim, found g u"),
        (["--colour", "--bands", "g,r"], "three --bands for --colour, found g r"),
        (["--dust", "--colour"], "cannot be corrected for dust: give --dust or --colour"),
        (["--size", "8"], "--size of at least 32, found 8"),
        (["--galaxies", "-1"], "found .*-1"),
        (["--seed", "-1"], "--seed of at least 0, found -1"),
        (["--workers", "0"], "--workers of at least 1, found 0"),
    ],
)
def test_what_cannot_be_made_is_refused_in_words(tmp_path, options, words):
    with pytest.raises(SettingsError, match=words):
        main([str(tmp_path / "s"), *options])
    assert not list(tmp_path.iterdir())


def test_help_does_not_wait_for_the_renderer():
    code = (
        "import sys, data.simulate as s\n"
        "try: s.parse_args(['--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(bool({'galsim', 'kcorrect', 'photutils', 'torch'} & set(sys.modules)))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode
        == 0
    )
