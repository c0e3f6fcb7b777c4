"""``panel serve``, forked from a process that has imported the dashboard and drawn a map once.

    python -m tests.browser.fork_server

Reads lines ``PORT STORE``; each starts a server and is answered by its process id. It ends, and
its servers with it, when its input does.
"""

import os
import signal
import sys
from pathlib import Path

APP = Path(__file__).parents[2] / "dashboard" / "app.py"


def main() -> None:
    """Serve until the input ends."""
    import torch  # noqa: F401  # all that a page needs
    from panel.command import main as panel

    import dashboard.app  # noqa: F401
    import pcvae.encode  # noqa: F401

    draw_once()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        port, store = line.rstrip("\n").split(" ", 1)
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(2, 1)
            where = ["--address", "127.0.0.1", "--port", port]
            sys.argv = ["panel", "serve", str(APP), *where, "--args", store]
            panel()
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def draw_once() -> None:
    """Compile what draws a map, which takes about a second."""
    import numpy as np
    import pandas as pd

    from dashboard.plotting.raster import Canvas, paint_density

    points = pd.DataFrame({"x": np.arange(4.0), "y": np.arange(4.0)})
    paint_density(points, Canvas((0.0, 4.0), (0.0, 4.0), 50, 50), dark=True)


if __name__ == "__main__":
    main()
