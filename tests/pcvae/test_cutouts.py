import numpy as np
import pandas as pd
import pytest

from pcvae.cutouts import PART, SampleInfo, SampleWriter, read_sample
from pcvae.errors import SampleError, ShapeError
from pcvae.folders import partial_folder

INFO = SampleInfo("tiny", "simulated for a test", ("g", "r", "z"), 0.262, 4)


def part(writer, number, keep=lambda row: True):
    """The candidates of a part; each galaxy's pixels hold its own row number."""
    rows = [row for row in writer.part_rows(number) if keep(row)]
    flux = np.ones((len(rows), 3, 4, 4), np.float32) * np.array(rows).reshape(-1, 1, 1, 1)
    gone = [row for row in writer.part_rows(number) if not keep(row)]
    left_out = pd.DataFrame({"id": [f"g{row}" for row in gone], "reason": "test"})
    return flux, pd.DataFrame({"id": [f"g{row}" for row in rows]}), left_out


def fill(writer, keep=lambda row: True):
    for number in writer.missing():
        writer.write(number, *part(writer, number, keep))
    return writer.finish()


def holds(folder):
    """The candidate rows that a sample holds, by its pixels, which must fit its ids."""
    sample = read_sample(folder)
    rows = [int(value) for value in sample.flux[:, 0, 0, 0]]
    assert [f"g{row}" for row in rows] == list(sample.catalog["id"])
    return rows


@pytest.mark.parametrize("rows", [1, PART, 2 * PART + 3])
def test_pixels_stay_with_their_id_when_candidates_are_left_out(tmp_path, rows):
    fill(SampleWriter(tmp_path / "s", INFO, rows, {}), keep=lambda row: row % 3 == 0)
    sample = read_sample(tmp_path / "s")
    assert [f"g{int(v)}" for v in sample.flux[:, 0, 0, 0]] == list(sample.catalog["id"])
    assert len(sample) == len(range(0, rows, 3))
    assert len(pd.read_csv(tmp_path / "s" / "left_out.csv")) == rows - len(sample)


def test_a_killed_writer_goes_on_where_it_was(tmp_path):
    first = SampleWriter(tmp_path / "s", INFO, 2 * PART, {"seed": 1})
    first.write(0, *part(first, 0))
    second = SampleWriter(tmp_path / "s", INFO, 2 * PART, {"seed": 1})
    assert second.missing() == [1]
    fill(second)
    assert len(read_sample(tmp_path / "s")) == 2 * PART
    assert sorted(p.name for p in (tmp_path / "s").iterdir()) == [
        "catalog.parquet",
        "cutouts.zarr",
        "left_out.csv",
        "sample.json",
        "settings.json",
    ]


def test_a_writer_killed_while_joining_can_join_again(tmp_path, monkeypatch):
    writer = SampleWriter(tmp_path / "s", INFO, PART, {})
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.rename", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            fill(writer)
    fill(SampleWriter(tmp_path / "s", INFO, PART, {}))
    assert len(read_sample(tmp_path / "s")) == PART


def test_another_command_does_not_finish_a_begun_sample(tmp_path):
    SampleWriter(tmp_path / "s", INFO, 5, {"seed": 1})
    with pytest.raises(SampleError, match="other settings"):
        SampleWriter(tmp_path / "s", INFO, 5, {"seed": 2})


def test_a_finished_sample_is_replaced_only_when_asked(tmp_path):
    fill(SampleWriter(tmp_path / "s", INFO, 5, {}))
    with pytest.raises(SampleError, match="--overwrite"):
        SampleWriter(tmp_path / "s", INFO, 2, {})
    fill(SampleWriter(tmp_path / "s", INFO, 2, {}, overwrite=True))
    assert len(read_sample(tmp_path / "s")) == 2
    assert not partial_folder(tmp_path / "s").exists()


def test_a_writer_that_was_killed_while_it_replaced_a_sample_goes_on(tmp_path):
    fill(SampleWriter(tmp_path / "s", INFO, 5, {}))
    begun = SampleWriter(tmp_path / "s", INFO, 3 * PART, {"seed": 1}, overwrite=True)
    begun.write(1, *part(begun, 1))
    again = SampleWriter(tmp_path / "s", INFO, 3 * PART, {"seed": 1}, overwrite=True)
    assert again.missing() == [0, 2]
    other = SampleWriter(tmp_path / "s", INFO, 3 * PART, {"seed": 2}, overwrite=True)
    assert other.missing() == [0, 1, 2]


def test_a_sample_without_galaxies_says_why(tmp_path):
    with pytest.raises(SampleError, match=r"all 3 left out \(test\)"):
        fill(SampleWriter(tmp_path / "s", INFO, 3, {}), keep=lambda row: False)


def test_a_sample_without_galaxies_leaves_nothing_that_keeps_the_next_call_from_looking(tmp_path):
    with pytest.raises(SampleError, match="no galaxy is left"):
        fill(SampleWriter(tmp_path / "s", INFO, 3, {}), keep=lambda row: False)
    assert not partial_folder(tmp_path / "s").exists()
    fill(SampleWriter(tmp_path / "s", INFO, 3, {}))
    assert len(read_sample(tmp_path / "s")) == 3


def test_pixels_that_are_not_finite_are_refused(tmp_path):
    writer = SampleWriter(tmp_path / "s", INFO, 1, {})
    flux, catalog, _ = part(writer, 0)
    flux[0, 0, 0, 0] = np.nan
    with pytest.raises(ShapeError, match="finite"):
        writer.write(0, flux, catalog)


def test_another_version_says_how_to_make_it_again(tmp_path):
    (tmp_path / "sample.json").write_text('{"version": 0}')
    with pytest.raises(SampleError, match=r"version 0, this.*version 1.*python -m data\.simulate"):
        read_sample(tmp_path)


def test_a_missing_sample_says_how_to_make_one(tmp_path):
    with pytest.raises(SampleError, match=r"python -m data\.ingest"):
        read_sample(tmp_path / "none")


def test_a_catalogue_is_replaced_only_by_the_same_galaxies(tmp_path):
    fill(SampleWriter(tmp_path / "s", INFO, 3, {}))
    sample = read_sample(tmp_path / "s")
    before = sample.checksum()
    sample.replace_catalog(sample.catalog.assign(redshift=0.5))
    assert read_sample(tmp_path / "s").catalog["redshift"].eq(0.5).all()
    assert sample.checksum() != before
    with pytest.raises(SampleError, match="ids"):
        sample.replace_catalog(sample.catalog.iloc[::-1])


def test_a_file_in_place_of_a_sample_says_what_was_expected(tmp_path):
    path = tmp_path / "README.md"
    path.write_text("no sample")
    with pytest.raises(SampleError, match=r"expected sample\.json in .*README\.md, found none"):
        read_sample(path)
