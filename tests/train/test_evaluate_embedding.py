"""An embedding made elsewhere is judged by the same tables as our models."""

from dataclasses import replace

import numpy as np
import pytest

from data import embeddings
from pcvae.store import read_store
from tests.train.synthetic import judge, write
from train.evaluation.galaxy_pool import gather
from train.report_pages.text_tables import gain_table


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Our two models, and 70 numbers of which the first four tell the labels with some noise."""
    folder = tmp_path_factory.mktemp("stores")
    ours = read_store(
        write(folder / "ours", normal=300, rare={"red_spiral": 16}, splits=(0.5, 0.1, 0.4))
    )
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(len(ours), 70)) * 0.05
    labels = ["redshift", "log_mass", "log_sfr"]
    vectors[:, :3] += ours.galaxies[labels].to_numpy() * [3, 1, 1]
    vectors[:, 3:40] += 0.2 * (ours.galaxies["population"] == "red_spiral").to_numpy()[:, None]
    np.savez(folder / "v.npz", vectors=vectors, id=ours.galaxies["id"].to_numpy(str))
    arguments = [folder / "v.npz", folder / "both", "--store", folder / "ours", "--model", "clip"]
    return embeddings.main([str(one) for one in arguments])


@pytest.fixture(scope="module")
def metrics(both):
    return judge(both)


def test_its_neighbours_tell_the_labels_beside_ours_and_the_baselines(metrics):
    found = metrics["baselines"]
    assert set(found) >= {"clip_knn", "physics_knn", "vanilla_knn", "photometry_gbt"}
    assert found["clip_knn"]["redshift"]["r2"] > 0.9
    assert found["clip_knn"]["redshift"]["n"] == metrics["models"]["physics"]["redshift"]["n"]
    gain = metrics["gains"]["clip_knn"]["photometry_gbt"]["log_sfr"]
    assert gain["low"] > 0  # fluxes say nothing of the star formation of these galaxies
    assert metrics["gains"]["physics"]["clip_knn"]["redshift"]["low"] is not None


def test_rare_galaxies_are_searched_by_it_alone_and_with_photometry(metrics, both):
    pool = gather(read_store(both))
    with_sizes = replace(pool, galaxies=pool.galaxies.assign(r50=5.0, axis_ratio=0.5))
    assert {name for name, *_ in with_sizes.spaces()} >= {"clip", "clip + photometry"}
    assert metrics["anomaly"]["clip"]["red_spiral"]["recall"] > 0.9
    assert metrics["anomaly_gains"]["physics over clip"]["red_spiral"]["low"] is not None
    assert metrics["few_shot"]["clip"]["red_spiral"]["5 in 50"]["found"] > 8


def test_few_examples_are_compared_with_the_same_seeds(metrics):
    pair = metrics["few_shot_gains"]["physics over clip"]["red_spiral"]["5 in 50"]
    tables = metrics["few_shot"]
    ours, other = (tables[k]["red_spiral"]["5 in 50"]["found"] for k in ("physics", "clip"))
    assert pair["gain"] == pytest.approx(ours - other)
    assert pair["low"] <= pair["gain"] <= pair["high"]
    assert set(metrics["few_shot_gains"]) == {"physics over clip", "vanilla over clip"}


def test_the_report_says_what_is_gained(metrics, both):
    header, rows = gain_table(metrics)
    assert ["physics over clip_knn", "r2 of redshift"] in [row[:2] for row in rows]
    assert ["physics over clip", "recall of red_spiral"] in [row[:2] for row in rows]
    assert all(len(row) == len(header) for row in rows)
    report = both.parent / "report-both"
    assert "physics over clip_knn" in (report / "tables.txt").read_text()
    assert "clip_knn" in (report / "report.html").read_text()
    assert metrics["disentanglement"]["clip"]["free"] == []
