import json

from train import bench


def test_a_bench_says_how_much_sooner_than_the_published_loop(tmp_path):
    path = tmp_path / "bench.json"
    figures = bench.main(["--only", "encode", "--only", "neighbours", "--galaxies", "40",
                          "--json", str(path)])  # fmt: skip
    assert json.loads(path.read_text()) == figures
    assert list(figures) == ["encode", "neighbours"]
    for step in figures.values():
        assert all(value > 0 for value in step.values())
        assert step["ratio_to_published_loop"] > 1
