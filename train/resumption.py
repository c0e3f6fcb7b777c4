"""Resumption of unfinished runs."""

import argparse
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from pcvae.cutouts import Sample
from pcvae.errors import RunError
from pcvae.folders import goes_on, partial_folder, write_text

__all__ = ["begin", "is_begun", "labelled_sample", "resumed_arguments", "settings_of"]

NOT_SETTINGS = (
    "run",
    "resume",
    "overwrite",
    "device",
    "devices",
    "nodes",
    "stream",
    "command",
    "break_lock",
)


def settings_of(args: argparse.Namespace, sample: Sample) -> dict[str, Any]:
    """The settings that define a run, and the checksum of the sample."""
    given = {k: str(v) if isinstance(v, Path) else v for k, v in vars(args).items()}
    absent = [] if given.get("labels") else ["labels", "labelled"]  # as earlier versions wrote
    absent += ["precision"] if given.get("precision") == "32" else []
    kept = {k: v for k, v in given.items() if k not in (*NOT_SETTINGS, *absent)}
    return kept | {"checksum": sample.checksum()}


def is_begun(args: argparse.Namespace, settings: str) -> bool:
    """Whether there is an unfinished run of the same settings to resume.

    Raises:
        RunError: One of other settings does, or a finished one.
    """
    folder, finish = partial_folder(args.run), "go on with it by --resume"
    return goes_on(folder, settings, RunError, overwrite=args.overwrite, finish=finish)


def labelled_sample(args: argparse.Namespace, sample: Sample) -> Sample:
    """The sample with people's labels as populations, if ``--labels`` names a journal.

    Raises:
        JournalError: The journal cannot be read.
        RunError: The labels changed since the unfinished run that is resumed began.
    """
    if not args.labels:
        return sample
    from pcvae.label_classes import labelled, read_labels

    catalog, info, events = sample.catalog, sample.info, read_labels(args.labels)
    found = labelled(list(catalog["id"]), list(catalog["population"]), info.rare, events)
    if args.resume and getattr(args, "labelled", "") != found.digest:
        msg = (
            f"the labels of {args.labels} changed since {args.run} began: begin again with "
            f"--overwrite in place of --resume"
        )
        raise RunError(msg)
    args.labelled = found.digest
    print(found.message)
    catalog = catalog.assign(population=found.populations)
    return replace(sample, info=replace(info, rare=found.rare), catalog=catalog)


def begin(args: argparse.Namespace, settings: str) -> None:
    """Make the unfinished run's folder."""
    folder = partial_folder(args.run)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_text(folder / "settings.json", settings)


def resumed_arguments(args: argparse.Namespace) -> argparse.Namespace:
    """The arguments that an unfinished run was started with, in place of the current ones.

    Raises:
        RunError: There is no unfinished run.
    """
    path = partial_folder(args.run) / "settings.json"
    if not path.exists():
        msg = f"nothing to resume: expected {path}, found none. Run without --resume"
        raise RunError(msg)
    try:
        begun = {k: v for k, v in json.loads(path.read_bytes()).items() if k != "checksum"}
        begun["sample"] = Path(begun["sample"])
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError) as error:
        msg = f"{path} is not what this pcvae writes: {error}. Begin again with --overwrite"
        raise RunError(msg) from error
    return argparse.Namespace(**vars(args) | begun | {"overwrite": True})
