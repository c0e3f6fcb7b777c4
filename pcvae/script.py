"""What all commands share: how errors end them, and how a command is recorded."""

import errno
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Sequence

from pcvae.errors import PcvaeError, SettingsError
from pcvae.interrupts import INTERRUPTED, raise_interrupts

__all__ = ["command", "device", "run"]

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

EXTRAS = {  # of pyproject.toml, by the packages that are imported
    "simulate": ("galsim", "kcorrect"),
    "report": ("matplotlib",),
    "dashboard": ("bokeh", "datashader", "holoviews", "panel", "panel_material_ui", "shapely"),
    "survey": ("h5py", "pyvo"),
    "hyrax": ("lance",),
    "scale": ("dask", "distributed", "hats", "hats_import", "lsdb"),
}


def command(module: str, argv: Sequence[str] | None = None) -> str:
    """The command of a script with these arguments, or with those it was called with.

    Without what does not decide what it makes.
    """
    given = sys.argv[1:] if argv is None else argv
    kept = [text for text in given if text != "--break-lock"]
    return f"python -m {module} {shlex.join(kept)}".strip()


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
    """Run a command; our errors, those of the disk, a missing extra and Ctrl-C end it in words."""
    try:
        raise_interrupts()
        main()
    except PcvaeError as error:
        sys.exit(f"error: {error}")
    except BrokenPipeError:
        sys.stderr.close()  # nobody reads what it would say
        sys.exit(1)
    except OSError as error:
        sys.exit(f"error: {_disk(error)}")
    except MemoryError as error:
        text = f"error: the memory is too small for this: {error}"
        sys.exit(f"{text.rstrip(': ')}. Use fewer --workers, or a smaller sample")
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        extra = next((extra for extra, names in EXTRAS.items() if package in names), None)
        if extra is None:
            raise
        sys.exit(f"error: this needs {package}: pip install -e '.[{extra}]'")
    except KeyboardInterrupt:
        print(INTERRUPTED, file=sys.stderr)
        sys.exit(130)


def _disk(error: OSError) -> str:
    """An error of the operating system: which file, what is wrong, what to do."""
    if isinstance(error, shutil.Error):  # one entry a file that was not copied
        _, target, words = error.args[0][0]
        number = int((re.findall(r"\[Errno (\d+)\]", str(words)) or [errno.EIO])[0])
        error = OSError(number, os.strerror(number), target)
    place = f" {error.filename}" if error.filename else ""
    if error.errno in FULL:
        what = place or " what is written"
        return (
            f"the disk has no room for{what} ({error.strerror}): make room, and the same command "
            f"goes on; what was there before is as it was"
        )
    return f"{error.strerror or error}{place and ':'}{place}"
