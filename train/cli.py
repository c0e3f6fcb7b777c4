"""What every script's command line shares: how it fails, and how it is written down."""

import shlex
import sys
from collections.abc import Callable, Sequence

from pcvae.errors import PcvaeError

__all__ = ["command", "run"]


def command(module: str, argv: Sequence[str] | None = None) -> str:
    """The command of a script with these arguments, or with those it was called with."""
    return f"python -m {module} {shlex.join(sys.argv[1:] if argv is None else argv)}".strip()


def run(main: Callable[[], object]) -> None:
    """Call a script's main: our own errors and Ctrl-C end it with a sentence, not a traceback."""
    try:
        main()
    except PcvaeError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        print("\ninterrupted: the same command goes on from here", file=sys.stderr)
        sys.exit(130)
