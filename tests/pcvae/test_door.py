"""``from pcvae import ...``: what a notebook needs, imported when it is first used."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pcvae
from pcvae import Codec, encode_images, read_sample
from pcvae.checkpoint import run_folder
from pcvae.errors import RunError, ShapeError
from tests.conftest import paint

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def images():
    """12 galaxies as the shipped model takes them."""
    rng = np.random.default_rng(0)
    return np.stack([paint(rng, 128)[0] for _ in range(12)])


def test_importing_the_library_imports_nothing_heavy():
    heavy = {"torch", "pandas", "zarr", "sklearn"}
    code = f"import sys, pcvae; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", pcvae.__all__)
def test_every_name_is_there_and_documented(name):
    assert getattr(pcvae, name).__doc__
    assert name in dir(pcvae)


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        pcvae.nonsense  # noqa: B018


def test_images_are_encoded_as_by_the_codec_of_the_same_model(images):
    table, codec = encode_images(images), Codec.read(run_folder("decals"))
    expected = codec.table(images)
    np.testing.assert_allclose(table, expected, atol=1e-6)
    assert (table.filter(like="_sigma") > 0).all(axis=None)


def test_a_galaxy_with_a_broken_pixel_is_unknown_and_the_others_are_as_without_it(images):
    broken = images.copy()
    broken[3, 1, 64, 64] = np.nan
    table = encode_images(broken)
    assert table.iloc[3].isna().all()
    np.testing.assert_allclose(table.drop(index=3), encode_images(images).drop(index=3), atol=1e-5)


def test_a_run_of_ones_own_encodes_its_sample(sample, runs):
    flux = read_sample(sample.folder).pixels(slice(0, 7))
    assert len(encode_images(flux, runs["physics"])) == 7


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((2, 3, 64, 64)),
        np.zeros((2, 4, 128, 128)),
        np.zeros((3, 128, 128)),
        np.zeros((2, 128, 128, 3), np.uint8),
        np.zeros((2, 3, 128, 128), np.uint8),
    ],
    ids=lambda array: f"{array.shape} {array.dtype}",
)
def test_images_of_another_kind_are_refused_in_words(wrong):
    with pytest.raises(ShapeError, match=r"\(N, 3, 128, 128\) of nanomaggies in g, r, z at 0.262"):
        encode_images(wrong)


def test_a_model_that_is_not_there_is_named(images):
    with pytest.raises(RunError, match="nowhere"):
        encode_images(images, "nowhere")


def test_the_lines_of_the_readme_run(images, tmp_path, monkeypatch, capsys):
    text = (ROOT / "README.md").read_text()
    (block,) = re.findall(r"## As a library\n.*?```python\n(.*?)```", text, re.DOTALL)
    assert len(block.strip().splitlines()) <= 12
    np.savez(tmp_path / "images.npz", images=images)
    monkeypatch.chdir(tmp_path)
    found = {}
    exec(block, found)
    assert len(found["latents"]) == 12
    assert len(found["rows"]) == len(found["distances"]) == 10
    assert "redshift" in capsys.readouterr().out
