"""How a sample is read, part by part, while it is encoded."""

import numpy as np
import pandas as pd

from pcvae.store import read_store
from train import encode
from train.encoding.read_ahead import read_ahead


def test_without_reconstruction_only_its_error_is_left_out(sample, runs, tmp_path):
    given = [str(sample.folder), "--run", f"physics={runs['physics']}", "--no-stamps"]
    whole = read_store(encode.main([*given[:1], str(tmp_path / "whole"), *given[1:]]))
    fast = encode.main([*given[:1], str(tmp_path / "fast"), *given[1:], "--no-reconstruction"])
    table = read_store(fast).latents("physics")
    assert table["recon_error"].isna().all()
    pd.testing.assert_frame_equal(
        table.drop(columns="recon_error"),
        whole.latents("physics").drop(columns="recon_error"),
    )


def test_parts_are_read_in_order_one_ahead(sample, monkeypatch):
    read = []
    expected = sample.pixels(slice(0, 20))

    def pixels(where):
        read.append(where.start)
        return np.asarray(sample.flux[where])

    monkeypatch.setattr(type(sample), "pixels", lambda _, where: pixels(where))
    keys = [slice(start, start + 20) for start in (0, 40, 60)]
    parts = read_ahead(sample.pixels, keys)
    part, flux = next(parts)
    assert part == keys[0]
    np.testing.assert_array_equal(flux, expected)
    assert [part for part, _ in parts] == keys[1:]
    assert read == [0, 40, 60]
