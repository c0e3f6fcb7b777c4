"""A catalogue, and a run of ``data.cutouts`` on it against the stand-in server."""

import numpy as np
import pandas as pd

from data import cutouts
from pcvae.cutouts import read_sample

SIZE = 32


QUICK = ["--size", str(SIZE), "--back-off", "0.02", "--timeout", "2", "--workers", "1"]


def catalogue(path, n=5, **columns):
    rng = np.random.default_rng(0)
    table = {"id": [f"g{row}" for row in range(n)]}
    table |= {"ra": rng.uniform(100, 200, n).round(6), "dec": rng.uniform(-20, 30, n).round(6)}
    pd.DataFrame(table | columns).to_csv(path, index=False)
    return path


def run(service, tmp_path, *options, n=5, out="out", **columns):
    table = catalogue(tmp_path / "in.csv", n, **columns)
    arguments = [table, tmp_path / out, "--base-url", service.url, *QUICK, *options]
    cutouts.main([str(one) for one in arguments])
    sample = read_sample(tmp_path / out)
    return sample, pd.read_csv(tmp_path / out / "left_out.csv").set_index("id")


def place(asked):
    return asked.query["ra"], asked.query["dec"]
