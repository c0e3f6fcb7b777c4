"""From nothing to the page of the dashboard on a few simulated galaxies; imports every module."""

import importlib
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))


def main(folder: Path) -> None:
    """Run each step in ``folder``."""
    for package in ("pcvae", "data", "train", "dashboard"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            importlib.import_module(name.removesuffix(".__init__"))
    from dashboard import explore
    from data import simulate
    from train import encode, evaluate, train

    sample, run, store = folder / "sample", folder / "run", folder / "store"
    few = ["--galaxies", "60", "--red-spirals", "12", "--green-peas", "12"]
    simulate.main([str(sample), *few, "--workers", "1"])
    train.main([str(sample), str(run), "--epochs", "1", "--device", "cpu"])
    encode.main([str(sample), str(store), "--run", f"physics={run}"])
    evaluate.main([str(store), str(folder / "report")])
    explore(store).__panel__().get_root()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
