"""Tables that are mapped into memory are the tables that are read, and follow their files."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from pcvae import mapped
from pcvae.lock import hold, lock_path
from pcvae.mapped import MappedFolder, map_parquet


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A file of 25 rows, which are converted seven at a time."""
    monkeypatch.setattr(mapped, "BATCH", 7)
    monkeypatch.setattr(mapped, "FEW", 3)
    rows = np.arange(25)
    table = pd.DataFrame(
        {
            "id": [f"g{'é' * (row % 3)}{row}" for row in rows],
            "ra": np.where(rows == 4, np.nan, rows / 7),
            "population": np.where(rows % 5 == 0, "rare", "field"),
            "layer": [None if row == 3 else f"layer {row % 2}" for row in rows],
            "note": [None if row == 8 else f"note {row}" for row in rows],
            "flag": rows % 2 == 0,
            "count": rows,
        }
    )
    table.to_parquet(tmp_path / "table.parquet", index=False)
    return tmp_path / "table.parquet"


def test_a_mapped_table_is_the_one_that_is_read(path, tmp_path):
    read, found = pd.read_parquet(path), map_parquet(path, tmp_path / "columns")
    assert list(found.frame) == list(read)
    for name in read:
        assert found.frame[name].astype(read[name].dtype).equals(read[name]), name
    assert found.frame["population"].dtype == "category"
    found.release()
    assert found.frame["id"][24] == "g24"
    assert not found.frame["ra"].to_numpy().flags.owndata


def test_it_is_made_again_when_the_file_has_changed(path, tmp_path):
    map_parquet(path, tmp_path / "columns")
    made = (tmp_path / "columns" / "columns.json").stat().st_ino
    map_parquet(path, tmp_path / "columns")
    assert (tmp_path / "columns" / "columns.json").stat().st_ino == made
    pd.read_parquet(path).assign(ra=2.0).to_parquet(path, index=False)
    assert (map_parquet(path, tmp_path / "columns").frame["ra"] == 2).all()
    assert sorted(tmp_path.iterdir()) == [tmp_path / "columns", path]


@pytest.mark.parametrize("left", [None, 0, 8])
def test_it_is_made_again_when_one_of_its_files_is_not_whole(path, tmp_path, left):
    whole = map_parquet(path, tmp_path / "columns").frame.to_csv()
    file = tmp_path / "columns" / "1.values"
    if left is None:
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:left])
    assert map_parquet(path, tmp_path / "columns").frame.to_csv() == whole


def test_numbers_of_other_galaxies_are_refused(path, tmp_path):
    ids = pd.read_parquet(path)["id"]
    numbers = map_parquet(path, tmp_path / "columns", ids=ids).frame
    assert "id" not in numbers
    assert numbers["ra"].dtype == np.float32
    with pytest.raises(ValueError, match="found others from row 7 on"):
        map_parquet(path, tmp_path / "others", ids=ids.replace("gé10", "other"))
    assert sorted(tmp_path.iterdir()) == [tmp_path / "columns", path]


def test_one_process_at_a_time_writes_it_and_others_wait(path, tmp_path, monkeypatch, caplog):
    folder = MappedFolder(tmp_path / "columns")
    monkeypatch.setattr(mapped, "PATIENCE", 0.2)
    with hold(tmp_path / "columns" / "table"):
        assert folder.of_file(path) is None
        assert "it is read into memory" in caplog.text
        monkeypatch.setattr(mapped, "PATIENCE", 60)
        with ThreadPoolExecutor(1) as other:
            waiting = other.submit(folder.of_file, path)
            with pytest.raises(TimeoutError):
                waiting.result(0.3)
            lock_path(tmp_path / "columns" / "table").unlink()
            assert len(waiting.result(60)) == 25


def test_what_cannot_be_written_is_read_and_said(path, caplog):
    folder = MappedFolder(path / "no folder")
    assert folder.of_file(path) is None
    assert "it is read into memory" in caplog.text
