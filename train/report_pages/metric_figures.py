"""The report's figures of numbers: labels, calibration, latent planes, rare galaxies.

Every function takes plain data and returns a matplotlib figure; nothing global is changed.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pcvae.anomaly import classes_of
from pcvae.boundaries import Boundaries, boundary_grid
from pcvae.labels import LABELS, Label
from pcvae.store import ModelInfo
from pcvae.trials import Trials
from train.evaluation.galaxy_pool import Estimates, Pool
from train.evaluation.rare_search import Search, repeat_margins

__all__ = [
    "calibration_figure", "confusion_figure", "curve_figure", "label_figure", "loss_figure",
    "plane_figure", "projection_figure", "rare_style",
]  # fmt: skip

GREY, INK, ACCENT, OTHER = "#9aa3ad", "#22272e", "#2f6fb0", "#d98324"
COLOURS = (ACCENT, OTHER, INK, "#8d6e63", "#7b4fa3", "#00838f", GREY)
STYLES = {"red_spiral": ("D", "#c8323c"), "green_pea": ("o", "#1f8f4d")}
MORE = (("s", "#7b4fa3"), ("^", "#d98324"), ("v", "#00838f"), ("P", "#8d6e63"))
MAX_ERROR_BARS = 1500  # galaxies above which error bars hide more than they show


def rare_style(name: str, rare: Sequence[str]) -> tuple[str, str]:
    """The marker and the colour of a rare population."""
    others = [item for item in rare if item not in STYLES]
    return STYLES.get(name) or MORE[others.index(name) % len(MORE)]


def label_figure(pool: Pool, found: Estimates, who: str) -> Figure | None:
    """Fig. 1 of the paper: catalogue against inferred value of each label, rare classes marked.

    None where no tested galaxy has both.
    """
    known = [
        label
        for label in LABELS
        if label.name in found
        and _any((pool.truth(label.name) + found[label.name].value)[pool.test])
    ]
    if not known:
        return None
    figure = Figure(figsize=(3.6 * len(known), 3.9), layout="constrained")
    axes = figure.subplots(1, len(known), squeeze=False)[0]
    for ax, label in zip(axes, known, strict=True):
        _against(ax, pool, found, label)
    handles, labels = axes[0].get_legend_handles_labels()
    _legend_below(figure, handles, labels)
    figure.suptitle(f"{who}: catalogue and inferred values of tested galaxies", fontsize=10)
    return figure


def _against(ax: Axes, pool: Pool, found: Estimates, label: Label) -> None:
    truth, (value, claimed) = pool.truth(label.name), found[label.name]
    both = np.isfinite(truth) & np.isfinite(value)
    test, rare = pool.test & both, pool.unseen & both
    rare &= pool.galaxies["population"].isin(pool.info.rare).to_numpy()
    error = np.nan_to_num(pool.galaxies.get(label.error, pd.Series(0.0, pool.galaxies.index)))
    sigma = np.sqrt(np.maximum(claimed**2 - error**2, 0))  # the model's own
    bars: dict[str, Any] = {
        "fmt": "none",
        "ecolor": GREY,
        "elinewidth": 0.4,
        "alpha": 0.35,
        "zorder": 1,
    }
    if test.sum() <= MAX_ERROR_BARS and label.name != "orientation":
        sizes = np.nan_to_num(sigma[test]), error[test]
        ax.errorbar(truth[test], value[test], *sizes, **bars)
    ax.scatter(truth[test], value[test], s=5, c=INK, alpha=0.45, lw=0, zorder=2, label="normal")
    _mark_rare(ax, pool, np.column_stack([truth, value]))
    shown = [np.concatenate([truth[part], value[part]]) for part in (test, rare) if part.any()]
    low, high = np.array([np.percentile(item, [0.2, 99.8]) for item in shown]).T
    low, high = low.min(), high.max()
    margin = 0.08 * max(high - low, 1e-6)
    ends = (low - margin, high + margin)
    _say_beyond(ax, np.column_stack([truth, value])[test | rare], ends)
    ax.plot(ends, ends, c=ACCENT, lw=1, zorder=4)
    if test.sum() > MAX_ERROR_BARS or label.name == "orientation":
        typical = np.nanmedian(sigma[test]), np.median(error[test])
        corner = ends[1] - 0.16 * (ends[1] - ends[0]), ends[0] + 0.14 * (ends[1] - ends[0])
        ax.errorbar(*corner, *typical, **bars | {"ecolor": INK, "elinewidth": 1.0, "alpha": 1})
    ax.set(
        xlim=ends, ylim=ends, xlabel=f"catalogue: {label.axis}", ylabel="inferred", aspect="equal"
    )
    _quiet(ax)


def calibration_figure(metrics: Mapping[str, Any]) -> Figure | None:
    """Claimed against reached coverage, and the PIT histogram, of each label; None for none."""
    sayers = {who: value for who, value in metrics["calibration"].items() if value}
    figure = Figure(figsize=(3.2 * len(LABELS), 5.6), layout="constrained")
    grid = figure.subplots(2, len(LABELS))
    for column, label in enumerate(LABELS):
        reached, histogram = grid[0, column], grid[1, column]
        reached.plot([0, 1], [0, 1], c=GREY, lw=1)
        histogram.axhline(0.1, c=GREY, lw=1)
        for colour, (who, labels) in zip(COLOURS, sayers.items(), strict=False):
            if label.name in labels and labels[label.name]["coverage"][0] is not None:
                figures = labels[label.name]
                reached.plot(figures["levels"], figures["coverage"], c=colour, label=who)
                histogram.stairs(figures["pit"], np.linspace(0, 1, 11), color=colour)
        reached.set(title=label.title, xlabel="claimed coverage", aspect="equal")
        histogram.set(xlabel="PIT", xlim=(0, 1), ylim=(0, None))
        _quiet(reached)
        _quiet(histogram)
    grid[0, 0].set_ylabel("reached coverage")
    grid[1, 0].set_ylabel("share of galaxies")
    lines = max(grid[0], key=lambda ax: len(ax.get_lines())).get_lines()[1:]
    if not lines:
        return None
    _legend_below(figure, lines, [line.get_label() for line in lines])
    return figure


def projection_figure(pool: Pool, model: ModelInfo, seed: int, *, boundaries: bool) -> Figure:
    """Fig. 2 of the paper: planes of a latent space, rare classes and linear boundaries."""
    titles = {latent.name: latent.axis for latent in model.latents}
    shown = [name for name in titles if name not in ("orientation", "e_cos", "e_sin")]
    planes = list(pairwise(shown))[:4]
    figure = Figure(figsize=(3.6 * max(len(planes), 1), 3.6), layout="constrained")
    table = pool.latents[model.name]
    classes = classes_of(pool.galaxies["population"], pool.info.rare)
    for ax, plane in zip(
        figure.subplots(1, max(len(planes), 1), squeeze=False)[0], planes, strict=False
    ):
        values = table[list(plane)].to_numpy(np.float64)
        tested = values[pool.unseen]
        ax.scatter(*values[pool.test].T, s=4, c=GREY, alpha=0.5, lw=0, label="normal")
        limits = _robust(tested)
        if boundaries:
            _draw(ax, boundary_grid(tested, classes[pool.unseen], limits=limits, seed=seed), pool)
        _mark_rare(ax, pool, values)
        ax.set(xlabel=titles[plane[0]], ylabel=titles[plane[1]], xlim=limits[0], ylim=limits[1])
        _quiet(ax)
    if planes and pool.info.rare:
        _legend(figure.axes[0])
    figure.suptitle(f"latent space of {model.name}", fontsize=10)
    return figure


def _draw(ax: Axes, found: Boundaries, pool: Pool) -> None:
    for index, name in enumerate(found.classes):
        inside = (found.region == index).astype(float)
        if index and inside.any() and not inside.all():
            colour = rare_style(name, pool.info.rare)[1]
            ax.contourf(found.x, found.y, inside, levels=[0.5, 1], colors=[colour], alpha=0.12)
            ax.contour(found.x, found.y, inside, levels=[0.5], colors=[colour], linewidths=0.9)


def confusion_figure(found: Mapping[str, Search]) -> Figure:
    """The row-normalised confusion matrices of the paper's trials and of the repeated folds."""
    figure = Figure(figsize=(6.4, 3.1 * len(found)), layout="constrained")
    grid = figure.subplots(len(found), 2, squeeze=False)
    for row, (name, search) in enumerate(found.items()):
        _matrix(grid[row, 0], search.paper, f"{name}: the paper's 5 splits")
        _matrix(grid[row, 1], search.folds, f"{name}: repeated folds")
    return figure


def _matrix(ax: Axes, trials: Trials, title: str) -> None:
    counts = trials.confusion().sum(axis=0)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    names = [name.replace("_", "\n") for name in trials.classes]
    for (row, column), share in np.ndenumerate(shares):
        colour = "white" if share > 0.6 else INK
        ax.text(column, row, f"{share:.3f}", ha="center", va="center", fontsize=8, color=colour)
    ticks = range(len(names))
    ax.set_xticks(ticks, names, fontsize=7)
    ax.set_yticks(ticks, names, fontsize=7)
    ax.set(xlabel="given class", ylabel="true class")
    ax.set_title(title, fontsize=9)


def curve_figure(found: Mapping[str, Search], rare: Sequence[str]) -> Figure:
    """Recall against false-positive rate of each rare population, every model in one panel."""
    names = [
        name for name in rare if any(name in search.folds.classes for search in found.values())
    ]
    figure = Figure(figsize=(3.8 * max(len(names), 1), 3.5), layout="constrained")
    axes = figure.subplots(1, max(len(names), 1), squeeze=False)[0]
    for ax, name in zip(axes, names, strict=False):
        for colour, (who, search) in zip(COLOURS, found.items(), strict=False):
            for number, (among, margin) in enumerate(repeat_margins(search, name)):
                rate, recall = _curve(margin, among)
                ax.step(
                    rate, recall, where="post", c=colour, lw=1.2, alpha=0.7,
                    label=None if number else who,
                )  # fmt: skip
        ax.axvline(0.01, c=GREY, lw=0.8, ls=":")
        ax.set(xscale="log", xlim=(5e-4, 1), ylim=(0, 1.02), title=name.replace("_", " "))
        ax.set(xlabel="false-positive rate", ylabel="recall")
        _legend(ax)
        _quiet(ax)
    return figure


def _curve(
    margin: NDArray[np.float64], among: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    order = np.argsort(-margin, kind="stable")
    hits, alarms = np.cumsum(among[order]), np.cumsum(~among[order])
    return alarms / max(alarms[-1], 1), hits / max(hits[-1], 1)


def plane_figure(pool: Pool, model: ModelInfo, free: str) -> Figure:
    """Mass against star-formation rate, by catalogue and by model; size against the free latent.

    On these planes stand the paper's words on rare galaxies: most compact, most extended, below
    the green valley.
    """
    table = pool.latents[model.name]
    catalogue = pool.galaxies[["log_mass", "log_sfr"]].to_numpy(np.float64)
    inferred = table.reindex(columns=["log_mass", "log_sfr"]).to_numpy(np.float64)
    radius = pool.galaxies.reindex(columns=["r50"]).to_numpy(np.float64)
    size = np.column_stack([table[free].to_numpy(np.float64), radius])
    panels = (catalogue, inferred, size) if _any(radius[pool.unseen]) else (catalogue, inferred)
    figure = Figure(figsize=(3.8 * len(panels), 3.7), layout="constrained")
    axes = figure.subplots(1, len(panels))
    for ax, values in zip(axes, panels, strict=True):
        ax.scatter(*values[pool.test].T, s=4, c=GREY, alpha=0.5, lw=0, label="normal")
        _mark_rare(ax, pool, values)
        limits = _robust(values[pool.unseen])
        ax.set(xlim=limits[0], ylim=limits[1])
    mass, sfr = (label.axis for label in LABELS[2:])
    axes[0].set(title="catalogue", xlabel=mass, ylabel=sfr)
    axes[1].set(title=f"inferred by {model.name}", xlabel=mass, ylabel=sfr)
    if panels[-1] is size:
        note = {"xlabel": free, "ylabel": "half-light radius [px]"}
        axes[-1].set(title="size and the free latent", **note)
    for ax in axes:
        _quiet(ax)
    _legend(axes[0])
    return figure


def loss_figure(histories: Mapping[str, pd.DataFrame]) -> Figure:
    """The loss terms epoch by epoch: a row a model, a column a term."""
    columns = [str(column) for history in histories.values() for column in history]
    terms = list(dict.fromkeys(c[len("train_") :] for c in columns if c.startswith("train_")))
    figure = Figure(figsize=(11.4, 2.1 * len(histories)), layout="constrained")
    grid = figure.subplots(len(histories), len(terms), squeeze=False)
    for line, (name, history) in zip(grid, histories.items(), strict=True):
        for ax, term in zip(line, terms, strict=True):
            for part, colour in (("train", GREY), ("validation", ACCENT)):
                column = history.get(f"{part}_{term}")
                if column is not None:
                    marker = "o" if len(history) == 1 else None
                    ax.plot(
                        history["epoch"] + 1, column, c=colour, lw=1.2, marker=marker, label=part
                    )
            shown = np.concatenate([item.get_ydata() for item in ax.get_lines()] or [np.zeros(0)])
            if len(shown) and (shown > 0).all():
                ax.set(yscale="log")
            ax.set(xlabel="epoch", title=f"{name}: {term}")
            _quiet(ax)
    _legend(grid[0, 0])
    return figure


def _mark_rare(ax: Axes, pool: Pool, values: NDArray[np.float64]) -> None:
    population = pool.galaxies["population"].to_numpy()
    for name in pool.info.rare:
        marker, colour = rare_style(name, pool.info.rare)
        chosen = pool.unseen & (population == name)
        x, y = values[chosen, 0], values[chosen, 1]
        ax.scatter(
            x, y, s=16, marker=marker, facecolors="none", edgecolors=colour, lw=0.8, zorder=3,
            label=name.replace("_", " "),
        )  # fmt: skip


def _robust(values: NDArray[np.float64]) -> tuple[tuple[float, float], tuple[float, float]]:
    """The ranges of nearly all points, with a margin."""
    ends = []
    for column in values.T:
        known = column[np.isfinite(column)]
        low, high = np.percentile(known, [0.3, 99.7]) if len(known) else (0.0, 1.0)
        margin = 0.06 * (high - low) or 0.5
        ends.append((float(low - margin), float(high + margin)))
    return ends[0], ends[1]


def _say_beyond(ax: Axes, places: NDArray[np.float64], ends: tuple[float, float]) -> None:
    """How many galaxies the axes leave out, if any."""
    beyond = int(((places < ends[0]) | (places > ends[1])).any(axis=1).sum())
    if beyond:
        ax.text(0.98, 0.02, f"{beyond} beyond", transform=ax.transAxes, ha="right", fontsize=6)


def _any(values: NDArray[np.float64]) -> bool:
    return bool(np.isfinite(values).any())


def _legend_below(figure: Figure, handles: Sequence[Any], labels: Sequence[Any]) -> None:
    several: dict[str, Any] = {"ncols": min(len(labels), 5), "frameon": False, "fontsize": 8}
    figure.legend(handles, labels, loc="outside lower center", **several)


def _legend(ax: Axes) -> None:
    handles, labels = ax.get_legend_handles_labels()
    if handles:
        ax.legend(handles, labels, frameon=False, fontsize=7)


def _quiet(ax: Axes) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=7, which="both")
    ax.xaxis.label.set_fontsize(8)
    ax.yaxis.label.set_fontsize(8)
    ax.title.set_fontsize(9)
