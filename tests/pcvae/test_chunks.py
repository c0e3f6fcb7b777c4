"""Chunks that are lost, cut or changed are found, in samples of this and of earlier versions."""

import re
from dataclasses import replace

import numpy as np
import pytest
import zarr

from pcvae.chunks import create_chunked, damage, open_chunked, seal
from pcvae.cutouts import PART, SampleWriter, read_sample
from pcvae.errors import SampleError
from tests.pcvae.test_cutouts import INFO, fill

KINDS = {"compressed": True, "plain": False}


def write(path, *, compress, listed=True):
    """An array of 5 rows in 3 chunks, the second of which is all zero."""
    values = np.array([1, 2, 0, 0, 5], np.float32)[:, None] * np.ones(4, np.float32)
    create_chunked(path, values.shape, (2, 4), "float32", compress=compress)
    open_chunked(path)[:] = values
    if listed:
        assert seal(path) == []
    return values


def look(path):
    return damage(path, zarr.open_array(path, mode="r"))


@pytest.mark.parametrize("kind", KINDS)
def test_an_array_is_whole_with_its_chunks_of_zeros(tmp_path, kind):
    values = write(tmp_path / "a", compress=KINDS[kind])
    assert look(tmp_path / "a") == ""
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "a", mode="r")[:], values)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("chunk", range(3))
@pytest.mark.parametrize("cut", [True, False])
def test_each_chunk_that_is_missing_or_cut_is_named(tmp_path, kind, chunk, cut):
    write(tmp_path / "a", compress=KINDS[kind])
    path = tmp_path / "a" / "c" / str(chunk) / "0"
    path.write_bytes(path.read_bytes()[:-1]) if cut else path.unlink()
    found = r"\d+" if cut else "no such file"
    words = rf"expected \d+ bytes in its chunk c/{chunk}/0, found {found}"
    assert re.match(words, look(tmp_path / "a"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_bit_is_found_when_it_is_read(tmp_path, kind):
    write(tmp_path / "a", compress=KINDS[kind])
    path = tmp_path / "a" / "c" / "0" / "0"
    content = bytearray(path.read_bytes())
    content[3] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="checksum"):
        zarr.open_array(tmp_path / "a", mode="r")[:]


def test_an_array_that_lost_a_chunk_is_not_sealed(tmp_path):
    write(tmp_path / "a", compress=False, listed=False)
    (tmp_path / "a" / "c" / "1" / "0").unlink()
    assert seal(tmp_path / "a") == ["c/1/0"]


@pytest.mark.parametrize("compressors", [None, "auto"])
def test_arrays_of_an_earlier_version_are_read_and_what_is_known_of_them_is_said(
    tmp_path, compressors
):
    array = zarr.create_array(
        tmp_path / "a", shape=(5, 4), chunks=(2, 4), dtype="f4", compressors=compressors
    )
    array[:] = 1
    assert look(tmp_path / "a") == ""
    chunk = tmp_path / "a" / "c" / "1" / "0"
    chunk.write_bytes(b"")
    assert "chunk c/1/0, found 0" in look(tmp_path / "a")
    chunk.unlink()
    assert "c/1/0 is missing (an earlier version left out chunks of zeros" in look(tmp_path / "a")


@pytest.mark.parametrize("listed", [[1], "text", [[]], {}])
def test_a_mangled_list_is_no_proof(tmp_path, listed):
    write(tmp_path / "a", compress=False, listed=False)
    zarr.open_array(tmp_path / "a", mode="r+").update_attributes({"chunk_bytes": listed})
    assert "list of chunks" in look(tmp_path / "a")


def test_a_sample_that_lost_a_chunk_is_refused_with_the_command_that_makes_it(tmp_path):
    info = replace(INFO, command="python -m data.simulate s --seed 3")
    fill(SampleWriter(tmp_path / "s", info, 2 * PART, {}))
    read_sample(tmp_path / "s")
    (tmp_path / "s" / "cutouts.zarr" / "c" / "1" / "0" / "0" / "0").unlink()
    words = r"c/1/0/0/0, found no such file.*data\.simulate s --seed 3 --overwrite"
    with pytest.raises(SampleError, match=words):
        read_sample(tmp_path / "s")


def test_pixels_that_change_after_opening_are_refused_in_words(tmp_path):
    fill(SampleWriter(tmp_path / "s", INFO, 3, {}))
    sample = read_sample(tmp_path / "s")
    path = tmp_path / "s" / "cutouts.zarr" / "c" / "0" / "0" / "0" / "0"
    path.write_bytes(b"\1" + path.read_bytes()[1:])
    with pytest.raises(SampleError, match=r"galaxies 0 to 3 of .* cannot be read.*checksum"):
        sample.pixels(slice(0, 3))
