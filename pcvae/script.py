"""What all commands share: how errors end them, and how a command is recorded."""

import shlex
import sys
from collections.abc import Callable, Sequence

from pcvae.errors import PcvaeError, SettingsError

__all__ = ["command", "device", "run"]

EXTRAS = {  # of pyproject.toml, by the packages that are imported
    "simulate": ("galsim", "kcorrect"),
    "report": ("matplotlib",),
    "dashboard": ("bokeh", "datashader", "holoviews", "panel", "panel_material_ui", "shapely"),
    "survey": ("h5py", "pyvo"),
    "hyrax": ("lance",),
}


def command(module: str, argv: Sequence[str] | None = None) -> str:
    """The command of a script with these arguments, or with those it was called with."""
    return f"python -m {module} {shlex.join(sys.argv[1:] if argv is None else argv)}".strip()


def device(wanted: str) -> str:
    """The device of that name; for ``auto`` a GPU where there is one.

    Raises:
        SettingsError: There is none of that name.
    """
    import torch

    gpus = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    here = [*(name for name, is_here in gpus.items() if is_here), "cpu"]
    if wanted not in (*here, "auto"):
        msg = f"expected one of the devices that are here ({', '.join(here)}), found {wanted}"
        raise SettingsError(msg)
    return here[0] if wanted == "auto" else wanted


def run(main: Callable[[], object]) -> None:
    """Run a command; our errors, a missing extra and Ctrl-C end it with a sentence."""
    try:
        main()
    except PcvaeError as error:
        sys.exit(f"error: {error}")
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        extra = next((extra for extra, names in EXTRAS.items() if package in names), None)
        if extra is None:
            raise
        sys.exit(f"error: this needs {package}: pip install -e '.[{extra}]'")
    except KeyboardInterrupt:
        print("\ninterrupted: the same command goes on from here", file=sys.stderr)
        sys.exit(130)
