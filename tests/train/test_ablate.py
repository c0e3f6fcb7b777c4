import pytest

from pcvae.recipes import RECIPES
from train import ablate, train


@pytest.mark.parametrize("name", list(ablate.CHANGES)[1:])
def test_every_change_is_one_to_the_recipe(name):
    told = [part for one in ablate.CHANGES[name] for part in ("--set", one)]
    changed = train._recipe(train.parse_args(["sample", "run", *told]))
    assert changed != RECIPES["default"]


def test_a_change_stands_beside_the_recipe(sample, tmp_path, capsys):
    options = ["--epochs", "1", "--only", "no colours"]
    rows = ablate.main([str(sample.folder), str(tmp_path), *options])
    assert [row["name"] for row in rows] == ["default", "no colours"]
    assert len(rows[0]["found"]) == len(rows[0]["catalog"]) > 0
    lines = capsys.readouterr().out.split("\n")
    first, second = (next(one for one in lines if one.startswith(f"| {name}"))
                     for name in ("default", "no colours"))  # fmt: skip
    assert "(" not in first
    assert second.count(" to ") == 3
