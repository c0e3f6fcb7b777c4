import numba
import pyarrow.parquet as pq
import pytest

from train.bench import _run
from train.encoding import hats_writer
from train.evaluation import growth

pytestmark = [
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
    pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning"),
]


def test_bricks_with_galaxies_become_a_catalogue_whose_cost_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(hats_writer, "ORDER", 3)
    run = _run("paper")
    job = growth.write_sky(tmp_path, run, 25, side=300, full=20)
    assert sorted(path.name[13:21] for path in job.bricks.glob("*-g.fits.fz")) == [
        *("1500p020", "1503p020")
    ]
    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)
    import hats.pixel_tree.moc_filter
    import hats.pixel_tree.pixel_alignment  # noqa: F401

    monkeypatch.setattr(numba.config, "DISABLE_JIT", False)
    rows, found = [], growth.partitions

    def partitions(folder):
        rows.extend(pq.read_metadata(path).num_rows for path in found(folder))
        return found(folder)

    monkeypatch.setattr(growth, "partitions", partitions)
    figures = growth.measure(job)
    assert sum(rows) == 25
    assert all(value > 0 for value in figures.values())
    assert figures["index_peak_bytes"] >= figures["encode_peak_bytes"]
    assert growth._flops(run) > 1e6
