"""Compiled kernels of the stretch agree with torch, and leave to torch what they do not do."""

import threading

import numpy as np
import pytest
import torch
from numba.core import caching

from pcvae import fast_stretch
from pcvae.fast_stretch import bicubic_taps, has_kernel
from pcvae.preprocess import Stretch
from pcvae.stretch_kernels import compiled

PAPER = {"size": 69, "resize": "bicubic", "resize_first": False, "order": (2, 1, 0)}
DEFAULT = {"size": 64, "resize": "area", "resize_first": True, "order": (0, 1, 2)}


def stretch_of(settings, bands=3):
    order = settings["order"] if bands == 3 else tuple(range(bands))
    names, scale = tuple("grizy"[:bands]), tuple(0.5 + band for band in range(bands))
    return Stretch(names, scale, **settings | {"order": order})


def pixels(count=5, bands=3, size=128):
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.normal(0.1, 1, (count, bands, size, size)).astype(np.float32))


@pytest.mark.parametrize("settings", [PAPER, DEFAULT], ids=["paper", "default"])
@pytest.mark.parametrize(("count", "bands"), [(1, 3), (5, 2), (70, 4)])
def test_the_kernels_agree_with_torch(settings, count, bands, monkeypatch):
    stretch, flux = stretch_of(settings, bands), pixels(count, bands)
    assert has_kernel(flux, stretch.size, stretch.resize, resize_first=stretch.resize_first)
    found = stretch(flux)
    monkeypatch.setattr("pcvae.preprocess.has_kernel", lambda *_, **__: False)
    torch.testing.assert_close(found, stretch(flux), rtol=0, atol=2e-5)


@pytest.mark.parametrize("size", [40, 69, 100, 200])
def test_cutouts_of_any_size_are_resized_as_torch_does(size, monkeypatch):
    stretch, flux = stretch_of(PAPER | {"size": 69 if size != 69 else 32}), pixels(2, 3, size)
    found = stretch(flux)
    monkeypatch.setattr("pcvae.preprocess.has_kernel", lambda *_, **__: False)
    torch.testing.assert_close(found, stretch(flux), rtol=0, atol=2e-5)


def test_the_weights_of_the_taps_sum_to_one():
    places, weights = bicubic_taps(128, 69)
    assert places.min() == 0
    assert places.max() == 127
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)


def test_what_no_kernel_does_is_left_to_torch(monkeypatch):
    flux = pixels()
    assert not has_kernel(flux.double(), 69, "bicubic", resize_first=False)
    assert not has_kernel(flux.requires_grad_(), 69, "bicubic", resize_first=False)
    assert not has_kernel(flux.detach(), 50, "area", resize_first=True)
    assert not has_kernel(flux.detach(), 64, "area", resize_first=False)
    assert not has_kernel(flux.detach()[:0], 64, "area", resize_first=True)
    monkeypatch.setattr(fast_stretch, "_is_installed", lambda: False)
    assert not has_kernel(flux.detach(), 64, "area", resize_first=True)
    assert stretch_of(PAPER)(flux.detach()).shape == (5, 3, 69, 69)


def test_planes_in_any_layout_are_read(monkeypatch):
    flux = pixels().to(memory_format=torch.channels_last)
    stretch = stretch_of(DEFAULT)
    torch.testing.assert_close(stretch(flux), stretch(flux.contiguous()))


def test_callers_in_several_threads_do_not_disturb_each_other():
    stretch, flux = stretch_of(PAPER), pixels(40)
    expected, found = stretch(flux), []
    callers = [threading.Thread(target=lambda: found.append(stretch(flux))) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(found) == 4
    assert all(torch.equal(image, expected) for image in found)


def test_unknown_pixels_stay_unknown(monkeypatch):
    flux = pixels(1)
    flux[0, 1, 60, 60] = torch.nan
    for settings in (PAPER, DEFAULT):
        unknown = torch.isnan(stretch_of(settings)(flux))[0]
        assert unknown[1].any()
        assert not unknown[[0, 2]].any()


def test_loops_are_compiled_where_no_folder_can_keep_them(monkeypatch):
    monkeypatch.setattr(caching.FunctionCache._impl_class, "_locator_classes", [])
    doubled = compiled(double)
    numbers = np.ones(3, np.float32)
    doubled(numbers)
    assert numbers.tolist() == [2, 2, 2]


def double(numbers):
    for i in range(len(numbers)):
        numbers[i] *= 2
