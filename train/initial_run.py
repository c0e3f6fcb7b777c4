"""The run that a training starts from (``--init``): its network, and whether it fits."""

import argparse
import dataclasses
from typing import TYPE_CHECKING, Any

from pcvae.cutouts import Sample
from pcvae.errors import SettingsError

if TYPE_CHECKING:
    import pandas as pd

    from pcvae.checkpoint import Run
    from pcvae.model import ConvVAE
    from pcvae.recipes import Recipe

__all__ = ["check_init", "check_seen", "model_from_run"]

CHANGEABLE = ("fit.", "loss.", "labels.errors", "model.dropout", "model.dimming")


def model_from_run(first: "Run", recipe: "Recipe") -> "ConvVAE":
    """The network of another run, with the dropout of this recipe."""
    from pcvae.model import ConvVAE

    overrides = {name: getattr(recipe.model, name) for name in ("dropout", "dimming")}
    if not (overrides["dropout"] and first.info.model.dropout):
        del overrides["dropout"]  # its layers are there or not, by which the others are counted
    model = ConvVAE(dataclasses.replace(first.info.model, **overrides))
    model.load_state_dict(first.model.state_dict())
    return model


def check_init(args: argparse.Namespace, recipe: "Recipe", first: "Run", sample: Sample) -> None:
    """Check that another run can be fine-tuned with these settings."""
    info, stretch = first.info, first.stretch
    stretched = sample.info.unit == "stretched"
    found = info.kind, info.recipe, stretch.bands, not stretch.scale
    expected = args.model, args.recipe, sample.info.bands, stretched
    if found != expected:
        msg = (
            f"expected --init to be a run of model, recipe, bands and stretched pixels "
            f"{expected}, found {found} in {args.init}"
        )
        raise SettingsError(msg)
    fixed = [text for text in args.set if not text.startswith(CHANGEABLE)]
    fixed += [f"--latents {args.latents}"] if args.latents is not None else []
    if bool(recipe.model.dropout) != bool(info.model.dropout):
        fixed += [text for text in args.set if text.startswith("model.dropout")]
    if fixed:
        msg = (
            f"{args.init} fixes {', '.join(fixed)}; leave out that or --init. "
            f"What may change: {', '.join(CHANGEABLE)}"
        )
        raise SettingsError(msg)


def check_seen(first: "Run", ids: "pd.Series", split: Any) -> None:
    """Check that no held-back galaxy was in the training set of the initial run.

    Raises:
        SettingsError: Some are.
    """
    seen = first.split(ids)
    fitted = (seen == "train") | ((seen == "validation") & (split != "validation"))
    leaks = int((fitted & (split != "train")).sum())
    if leaks:
        msg = (
            f"{first.folder} was fitted to {leaks} galaxies that are held back here: start from a "
            f"run of other galaxies, or train with its --seed {first.info.seed}"
        )
        raise SettingsError(msg)
