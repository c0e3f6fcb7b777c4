"""Join published catalogues, and tables of your own, to one catalogue of galaxies.

    python -m data.catalogs data/downloads/paper --at-most gama=16000,zou=10000

Writes ``catalog.parquet``, ``cuts.csv`` (how many rows each quality cut removed), ``sources.json``
(address, date, checksum, citation of each file) and ``files/`` with what was downloaded. Offline,
``--from FOLDER`` takes files that you have. data/README.md says what each catalogue holds.
"""

import argparse
import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from data.pipeline.options import pairs, words
from data.published.catalog_definition import KnownCatalog
from data.published.known_catalogs import CATALOGS
from pcvae.errors import CatalogError, SettingsError
from pcvae.lock import BREAK_LOCK, hold
from pcvae.script import command, run

__all__ = ["main", "parse_args"]

KNOWN = tuple(catalog.name for catalog in CATALOGS)


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("output", metavar="OUT", type=Path, help="folder to make; must not exist")
    add("--only", type=words, default=KNOWN, help=f"of {','.join(KNOWN)}; 'none' for your tables")
    add("--from", dest="folder", type=Path, help="folder of files already downloaded; no network")
    add(
        "--table", type=Path, action="append", default=[], help="a table of yours; may be repeated"
    )
    add("--tap", help="a Virtual Observatory's table service to ask for --adql")
    add("--adql", help="the query for --tap")
    add("--columns", type=pairs, default={}, help="of --table and --tap: ours=yours,ra=RA")
    add("--population", help="of --table and --tap, where they do not say; default: field")
    add("--at-most", type=pairs, default={}, help="a random choice: gama=16000,zou=10000")
    add("--seed", type=int, default=0, help="fixes the random choice")
    for name in KNOWN:
        add(f"--{name.replace('_', '-')}-url", help=f"a mirror of the service of {name}")
    add("--timeout", type=float, default=300.0, help="seconds without a byte that end a try")
    add("--contact", default="", help="your e-mail address, for the services' keepers")
    add("--overwrite", action="store_true", help="replace OUT")
    add("--break-lock", action="store_true", help=BREAK_LOCK)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> Path:
    """Make the catalogue and return its folder."""
    args = parse_args(argv)
    with hold(args.output, break_lock=args.break_lock):
        return _join(args, argv)


def _join(args: argparse.Namespace, argv: Sequence[str] | None) -> Path:
    from data.published.duplicates import MATCH_RADIUS, without_duplicates
    from data.services.published_tables import NOTE
    from pcvae.catalog import complete
    from pcvae.folders import partial_folder, refuse_existing, replace_folder

    names = _names(args)
    refuse_existing(args.output, CatalogError, overwrite=args.overwrite)
    work = partial_folder(args.output)
    (work / "files").mkdir(parents=True, exist_ok=True)
    report = Report()
    tables = [_own(path, read(), args, report) for path, read in _user_tables(args)]
    tables += [_published(name, args, work / "files", report) for name in names]
    together = pd.concat(tables, ignore_index=True)
    # A galaxy that is rare anywhere must not train because another catalogue has it as well.
    together = together.sort_values("population", key=lambda p: p == "field", kind="stable")
    kept = without_duplicates(together)
    report.add("all", f'one galaxy a place of {MATCH_RADIUS:g}"', "ours", len(together), len(kept))
    complete(kept, ()).to_parquet(work / "catalog.parquet", index=False)
    report.write(work, command("data.catalogs", argv))
    for note in (work / "files").glob(f"*{NOTE}"):
        note.unlink()
    replace_folder(work, args.output)
    report.show(args.output, kept)
    return args.output


class Report:
    """The provenance of each file, and the rows that each cut removed."""

    def __init__(self) -> None:
        self.cuts: list[dict[str, Any]] = []
        self.files: list[dict[str, Any]] = []

    def add(self, catalog: str, cut: str, source: str, before: int, left: int) -> None:
        """Note a cut."""
        entry = {"catalog": catalog, "cut": cut, "source": source}
        self.cuts.append(entry | {"removed": before - left, "left": left})

    def add_file(self, catalog: str, path: Path, url: str, about: KnownCatalog | None) -> None:
        """Note a file."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        when = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
        entry = {"catalog": catalog, "file": path.name, "url": url, "date": when, "sha256": digest}
        if about is not None:
            entry |= {"citation": about.citation, "licence": about.licence}
            if about.conventions:
                entry |= {"labels": f"{about.conventions}; converted to Chabrier and Planck18"}
        self.files.append(entry)

    def write(self, folder: Path, made_by: str) -> None:
        """Write ``cuts.csv`` and ``sources.json``."""
        pd.DataFrame(self.cuts).to_csv(folder / "cuts.csv", index=False)
        facts = {"command": made_by, "files": self.files}
        (folder / "sources.json").write_text(json.dumps(facts, indent=1) + "\n")

    def show(self, folder: Path, kept: pd.DataFrame) -> None:
        """Print the cuts and the next command."""
        for cut in self.cuts:
            print(
                "{removed:9d} removed, {left:9d} left  {catalog}: {cut} ({source})".format(**cut)
            )
        counts = kept["population"].value_counts()
        shown = ", ".join(f"{count} {name}" for name, count in counts.items())
        print(f"{folder}: {len(kept)} galaxies ({shown})")
        print(f"next: python -m data.cutouts {folder} data/samples/{folder.name}")


def _names(args: argparse.Namespace) -> list[str]:
    chosen = () if args.only == ("none",) else args.only
    for option, given in (("--only", chosen), ("--at-most", args.at_most)):
        if unknown := [name for name in given if name not in KNOWN]:
            msg = f"{option} names {unknown[0]!r}, the catalogues are {', '.join(KNOWN)}"
            raise SettingsError(msg)
    if bool(args.tap) != bool(args.adql):
        msg = "--tap and --adql belong together: the service, and what it is asked"
        raise SettingsError(msg)
    if not chosen and not args.table and not args.tap:
        msg = "nothing to join: expected --only, --table or --tap"
        raise SettingsError(msg)
    for name, count in args.at_most.items():
        if not count.isdigit() or int(count) < 1:
            msg = f"--at-most expects a number of galaxies, found {name}={count}"
            raise SettingsError(msg)
    return [name for name in KNOWN if name in chosen]


def _published(name: str, args: argparse.Namespace, files: Path, report: Report) -> pd.DataFrame:
    """A published catalogue, with its cuts made, in our columns."""
    catalog = next(catalog for catalog in CATALOGS if catalog.name == name)
    if args.folder:
        found = [(path, "") for path in catalog.find(args.folder)]
    else:
        found = _download(catalog, args, files)
    for path, url in found:
        report.add_file(name, path, url, catalog)
    table = _read(catalog, found)
    report.add(name, "rows as published", catalog.citation, len(table), len(table))
    for cut in catalog.cuts:
        before, table = len(table), table[cut.keep(table)]
        report.add(name, cut.name, cut.source, before, len(table))
    if most := int(args.at_most.get(name, 0)):
        before = len(table)
        table = table.sample(min(most, before), random_state=args.seed).sort_index()
        report.add(name, f"a random choice of {most}", "--at-most", before, len(table))
    table = catalog.convert(table.reset_index(drop=True))
    if catalog.conventions:
        table = catalog.conventions.convert(table)
    return table.assign(survey=catalog.survey, population=catalog.population)


def _download(
    catalog: KnownCatalog, args: argparse.Namespace, files: Path
) -> list[tuple[Path, str]]:
    from data.services.http_client import Client, RetryPolicy

    url = getattr(args, f"{catalog.name}_url") or catalog.url
    print(f"{catalog.name}: {url}")
    with Client(RetryPolicy(timeout=args.timeout, contact=args.contact)) as client:
        return list(catalog.fetch(client, url, files))


def _read(catalog: KnownCatalog, found: list[tuple[Path, str]]) -> pd.DataFrame:
    """The table as published; what was downloaded and is no such table is not kept."""
    try:
        return catalog.read([path for path, _ in found])
    except CatalogError as error:
        downloaded = {path: url for path, url in found if url}
        if not downloaded:
            raise
        for path in downloaded:
            path.unlink()
        msg = f"{error}. What {', '.join(downloaded.values())} gave is not kept"
        raise CatalogError(msg) from error


def _user_tables(args: argparse.Namespace) -> list[tuple[str, Any]]:
    """The name of each user table, and its reader."""
    from functools import partial

    from data.services.published_tables import fetch_tap
    from pcvae.catalog import read_table

    ids = args.columns.get("id", "id")
    found = [(path.stem, partial(read_table, path, ids)) for path in args.table]
    if args.tap:
        found.append(("tap", partial(fetch_tap, args.tap, args.adql)))
    return found


def _own(name: str, table: pd.DataFrame, args: argparse.Namespace, report: Report) -> pd.DataFrame:
    """A user table, in our columns."""
    from data.published.column_mapping import as_ours

    table = as_ours(table, args.columns, None, name, name)
    if args.population:
        table["population"] = table["population"].replace("field", args.population)
    report.add(name, "rows as given", "yours", len(table), len(table))
    return table


if __name__ == "__main__":
    run(main)
