"""``panel serve``, forked from a process that has built a page of the dashboard already.

    python -m tests.browser.fork_server

Reads lines ``PORT STORE``; each starts a server and is answered by its process id. It ends, and
its servers with it, when its input does.
"""

import os
import shutil
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

TESTS = Path(__file__).parents[1]
APP = TESTS.parent / "dashboard" / "app.py"
STORE = TESTS / "earlier_version" / "store"


def main() -> None:
    """Serve until the input ends."""
    import torch  # noqa: F401  # all that a page needs
    from panel.command import main as panel

    import dashboard.app  # noqa: F401
    import pcvae.encode  # noqa: F401

    show_once()
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


def show_once() -> None:
    """Build a whole page, so that all that is compiled, read or kept at first sight is there."""
    from dashboard.app import Explorer, open_datastore

    with TemporaryDirectory() as folder:
        store = shutil.copytree(STORE, Path(folder) / "store")
        explorer = Explorer(open_datastore(store))
        explorer.start()
        explorer.page().get_root()
        explorer.datastore.journal.close()


if __name__ == "__main__":
    main()
