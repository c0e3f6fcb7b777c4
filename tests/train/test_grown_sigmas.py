import shutil
from dataclasses import replace

import numpy as np

from pcvae.checkpoint import read_run
from pcvae.encode import Codec
from pcvae.ood import OodScore


def test_sigmas_of_labels_grow_with_the_distance(sample, runs):
    run = read_run(runs["physics"])
    space = run.info.space
    assert space.growth == (0, 0, 5, 5, 5)  # not those of the ellipticity
    flux = 3 * sample.pixels(slice(0, 20))
    grown = Codec(run).encode(flux)
    plain = Codec(_with_space(run, growth=())).encode(flux)
    excess = Codec(run).ood.excess(grown.ood_distance)
    assert excess.max() > 0.2
    unit = plain.sigma[:, :5] / _network_sigma(run, plain)
    added = np.minimum(np.array(space.growth) * excess[:, None], 1) * unit
    np.testing.assert_allclose(grown.sigma[:, :5], np.hypot(plain.sigma[:, :5], added), rtol=1e-5)
    np.testing.assert_array_equal(grown.sigma[:, 5:], plain.sigma[:, 5:])


def test_sigmas_of_earlier_runs_grow_by_a_factor(sample, runs, tmp_path):
    """Their score has no mixtures, and their photometry is what dense layers make of it."""
    folder = tmp_path / "earlier"
    shutil.copytree(runs["physics"], folder)
    run = read_run(folder)
    features = run.model.config.hidden * 2
    whiten = tuple(np.eye(features // 2) for _ in range(2))
    starts = (0, features // 2, features)
    earlier = OodScore(starts, np.zeros(features), whiten, np.linspace(0, 0.1, 1001))
    earlier.write(folder)
    flux = sample.pixels(slice(0, 20))
    grown = Codec(_with_space(run, growth=(), grows=True)).encode(flux)
    plain = Codec(_with_space(run, growth=(), grows=False)).encode(flux)
    factor = earlier.growth(grown.ood_distance)
    assert factor.max() > 1
    np.testing.assert_allclose(grown.sigma[:, :5], plain.sigma[:, :5] * factor[:, None])
    np.testing.assert_array_equal(grown.sigma[:, 5:], plain.sigma[:, 5:])


def _with_space(run, **changes):
    return replace(run, info=replace(run.info, space=replace(run.info.space, **changes)))


def _network_sigma(run, plain):
    """The network's own sigmas of the tied axes, in its units."""
    space = run.info.space
    x = ((plain.mu - space.mean) / space.scale)[:, :5].clip(-3, 3)
    calibrated = np.array(space.factor)[:5] * np.exp(np.array(space.tilt)[:5] * x)
    return plain.sigma[:, :5] / np.array(space.scale)[:5] / calibrated
