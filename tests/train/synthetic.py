"""Stores with known latents, and their evaluation."""

import json

import numpy as np
import pandas as pd

from pcvae.catalog import complete
from pcvae.labels import LABELS, Latent, wrap_angle
from pcvae.store import ModelInfo, StoreInfo, StoreWriter
from train import evaluate

NAMES = [label.name for label in LABELS]


PHYSICS = ModelInfo("physics", "physics", "default", tuple(Latent(n, n) for n in [*NAMES, "free"]))


VANILLA = ModelInfo("vanilla", "vanilla", "paper", tuple(Latent(n, n) for n in "abcde"))


RARE, HARD = ("red_spiral", "green_pea"), ("star",)


NOISE = {"orientation": 0.05, "redshift": 0.05, "log_mass": 0.3, "log_sfr": 0.6}


def catalogue(rng, normal, rare, splits):
    """Galaxies whose fluxes tell redshift and mass, but not the star-formation rate."""
    count = normal + sum(rare.values())
    population = ["field"] * normal + [name for name, n in rare.items() for _ in range(n)]
    table = pd.DataFrame(
        {
            "id": [f"g{row}" for row in range(count)],
            "population": population,
            "orientation": rng.uniform(-np.pi / 2, np.pi / 2, count),
            "redshift": rng.uniform(0.05, 1.0, count),
            "log_mass": rng.normal(10, 0.6, count),
            "log_sfr": rng.normal(0, 0.5, count),
        }
    )
    bright = 10 ** (0.4 * (table["log_mass"] - 9))
    for power, band in enumerate("grz"):
        table[f"flux_{band}"] = bright * (1 + table["redshift"]) ** power
        table[f"flux_{band}_err"] = 0.02
    table["split"] = rng.choice(["train", "validation", "test"], count, p=splits)
    table.loc[table["population"] != "field", "split"] = "held_out"
    return complete(table, "grz")


def physics_latents(rng, table):
    columns = {"id": table["id"]}
    for name, noise in NOISE.items():
        columns[name] = table[name] + rng.normal(0, noise, len(table))
        columns[f"{name}_sigma"] = np.full(len(table), noise)
    columns["orientation"] = wrap_angle(columns["orientation"])
    free = rng.normal(size=len(table))
    for name, away in (("red_spiral", 7.0), ("green_pea", -7.0), ("star", -6.0)):
        free += away * (table["population"] == name)
    return pd.DataFrame({**columns, "free": free, "free_sigma": 0.1, "recon_error": 0.25})


def vanilla_latents(rng, table):
    columns = {"id": table["id"], "recon_error": 0.2}
    for latent, name in zip("abcd", NAMES, strict=True):
        columns[latent] = table[name] + rng.normal(0, 0.1, len(table))
    columns["e"] = rng.normal(size=len(table))
    return pd.DataFrame(columns)


def write(folder, *, normal=500, rare=None, without=(), splits=(0.6, 0.2, 0.2), seed=0):
    """A store with synthetic latents of both models."""
    rng = np.random.default_rng(seed)
    rare = {"red_spiral": 40, "green_pea": 13, "star": 20} if rare is None else rare
    table = catalogue(rng, normal, rare, splits)
    info = StoreInfo(
        "example", "simulated for a test", ("g", "r", "z"), 0.262, 32, "nanomaggy",
        RARE, HARD, (PHYSICS, VANILLA), None, "", "",
    )  # fmt: skip
    writer = StoreWriter(folder, {})
    writer.write_part("physics", 0, physics_latents(rng, table))
    writer.write_part("vanilla", 0, vanilla_latents(rng, table))
    table[list(without)] = np.nan
    for model in ("physics", "vanilla"):
        (folder.parent / model).mkdir(exist_ok=True)
    folders = {model: folder.parent / model for model in ("physics", "vanilla")}
    writer.finish(info, table, folders)
    return folder


def judge(store, *options):
    report = store.parent / f"report-{store.name}"
    evaluate.main([str(store), str(report), *options])
    return json.loads((report / "metrics.json").read_text())
