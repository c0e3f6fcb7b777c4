"""Back up the labels of a store, also while people label, and bring them back.

    python -m dashboard.labelling.journal_backup STORE labels-2026-11-27.sqlite
    python -m dashboard.labelling.journal_backup --restore labels-2026-11-27.sqlite STORE

The journal of a team in PostgreSQL is backed up by pg_dump.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from pcvae.journal import journal_path
from pcvae.journal_backup import copy_journal
from pcvae.script import run

__all__ = ["main", "parse_args"]


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("source", type=Path, help="a store, a journal, or a backup of one")
    add("target", type=Path, help="the backup to make, or the store to bring it back to")
    add("--restore", action="store_true", help="TARGET is a store without a journal")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Copy a journal and return its number of events."""
    args = parse_args(argv)
    source = journal_path(args.source) if args.source.is_dir() else args.source
    target = journal_path(args.target) if args.restore else args.target
    count = copy_journal(source, target)
    print(f"{target}: {count} events, as of {source}")
    return count


if __name__ == "__main__":
    run(main)
