"""Tables in file formats of astronomy, with units and provenance."""

import io
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from astropy.io import fits, votable
from astropy.table import Table
from astropy.units.function import FunctionUnitBase

__all__ = ["FORMATS", "Format", "as_file", "regions", "write_facts"]

RADIUS = 5.0  # arcsec, of the circles in a region file
RESERVED = 8  # letters of a FITS keyword
WRITTEN = ("label", "note", "user", "said")  # columns that people write
# First characters that a spreadsheet takes for a formula, by OWASP's page on CSV injection.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
COLOURS = ("cyan", "yellow", "magenta", "green", "orange", "red", "white", "blue")


class Format(NamedTuple):
    """A file format.

    Args:
        title: Its name on the page.
        write: Returns the bytes of a table with its provenance.
    """

    title: str
    write: Callable[[Table, Mapping[str, str]], bytes]


def as_file(table: Table, facts: Mapping[str, str], kind: str) -> bytes:
    """The bytes of a file of that kind.

    Args:
        table: The rows to export, with units and descriptions.
        facts: Its provenance, by keyword.
        kind: One of ``FORMATS``.
    """
    return FORMATS[kind].write(table, facts)


def _csv(table: Table, facts: Mapping[str, str]) -> bytes:
    """Comment lines with the facts and the units, then plain CSV without formulas."""
    units = ", ".join(
        f"{name} [{table[name].unit}]" for name in table.colnames if table[name].unit
    )
    frame, header = table.to_pandas(), {**facts, "units": units}
    if written := [name for name in WRITTEN if name in frame]:
        header["formulas"] = (
            f"a {', '.join(written)} that begins with = + - @ or white space has a ' before it, "
            "so that no spreadsheet runs it"
        )
        frame[written] = frame[written].map(_inert)
    head = "".join(f"# {name}: {_line(value)}\n" for name, value in header.items())
    return (head + frame.to_csv(index=False)).encode()


def _inert(text: str) -> str:
    """A text that a spreadsheet does not take for a formula.

    Example:
        >>> _inert("=1+1"), _inert("a=1")
        ("'=1+1", 'a=1')
    """
    return f"'{text}" if text.startswith(FORMULA) else text


def _parquet(table: Table, facts: Mapping[str, str]) -> bytes:
    """Facts in the schema's metadata, unit and description in each column's and for astropy."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from astropy.table.meta import get_yaml_from_table

    made = pa.Table.from_pandas(table.to_pandas(), preserve_index=False)
    columns = [
        column.with_metadata(
            {
                "unit": str(table[column.name].unit or ""),
                "description": table[column.name].description or "",
            }
        )
        for column in made.schema
    ]
    described = table.copy(copy_data=False)
    described.meta.update(dict(facts))
    for_astropy = {"table_meta_yaml": "\n".join(get_yaml_from_table(described))}
    for name in table.colnames:
        if table[name].dtype.kind == "U":
            for_astropy[f"table::len::{name}"] = str(table[name].dtype.itemsize // 4)
    kept = {**(made.schema.metadata or {}), **_bytes(facts), **_bytes(for_astropy)}
    schema = pa.schema(columns, metadata=kept)
    file = io.BytesIO()
    pq.write_table(made.cast(schema), file)
    return file.getvalue()


def _votable(table: Table, facts: Mapping[str, str]) -> bytes:
    """Facts as INFO elements; positions with their frame."""
    made = votable.from_table(_plain_units(table))
    resource = made.resources[0]
    resource.description = facts.get("what", "")
    for name, value in facts.items():
        resource.infos.append(votable.tree.Info(name=name, value=_line(value)))
    frame = votable.tree.CooSys(ID="icrs", system="ICRS", epoch="J2000")
    resource.coordinate_systems.append(frame)
    for field in resource.tables[0].fields:
        if field.name in ("ra", "dec"):
            field.ucd, field.ref = f"pos.eq.{field.name};meta.main", "icrs"
        elif field.name == "id":
            field.ucd = "meta.id;meta.main"
    file = io.BytesIO()
    made.to_xml(file, tabledata_format="tabledata" if len(table) <= 10_000 else "binary2")
    return file.getvalue()


def _fits(table: Table, facts: Mapping[str, str]) -> bytes:
    """Facts as cards of the primary header; FITS is in ASCII, so other letters become ``?``."""
    table = _plain_units(table)
    for name in table.colnames:
        if table[name].dtype.kind == "U":
            table[name] = [_ascii(text) for text in table[name]]
    hdu = fits.table_to_hdu(table)
    hdu.name = "GALAXIES"
    for place, name in enumerate(table.colnames, 1):
        if table[name].description:
            hdu.header.set(f"TCOMM{place}", _ascii(table[name].description))
    primary = fits.PrimaryHDU()
    write_facts(primary.header, facts)
    primary.header.set("RADESYS", "ICRS", "frame of ra and dec")
    file = io.BytesIO()
    fits.HDUList([primary, hdu]).writeto(file)
    return file.getvalue()


def write_facts(header: fits.Header, facts: Mapping[str, str]) -> None:
    """Write a provenance as cards of a FITS header."""
    for name, value in facts.items():
        keyword = re.sub(r"\W|_", "", name).upper()[:RESERVED]
        header.set(keyword, _ascii(_line(value)))


def _ecsv(table: Table, facts: Mapping[str, str]) -> bytes:
    made, file = table.copy(copy_data=False), io.StringIO()
    made.meta.update(dict(facts))
    made.write(file, format="ascii.ecsv")
    return file.getvalue().encode()


def regions(table: Table, facts: Mapping[str, str]) -> bytes:
    """A DS9 region file: a circle a row with its id, coloured by label or population."""
    kind = "label" if "label" in table.colnames else "population"
    kinds = list(pd.unique(np.asarray(table[kind])))
    colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(kinds)}
    lines = ["# Region file format: DS9 version 4.1"]
    lines += [f"# {name}: {_line(value)}" for name, value in facts.items()]
    known = np.isfinite(table["ra"]) & np.isfinite(table["dec"])
    placed, total = (len(set(ids)) for ids in (table["id"][known], table["id"]))
    lines.append(f"# places: {placed} of {total} galaxies have one")
    lines += ["global width=2 select=1 edit=1 move=0 delete=1 include=1 fixed=0", "icrs"]
    rows = zip(*(table[name][known].tolist() for name in ("ra", "dec", "id", kind)), strict=True)
    for ra, dec, name, its in rows:
        text, tag = _braced(name), _braced(its)
        lines.append(
            f'circle({ra:.7f},{dec:+.7f},{RADIUS:g}") # color={colours[its]} text={{{text}}} '
            f"tag={{{tag}}}"
        )
    return ("\n".join(lines) + "\n").encode()


def _plain_units(table: Table) -> Table:
    """The table with logarithmic units, which FITS and VOTable lack, in the descriptions."""
    made = table.copy(copy_data=False)
    for column in made.itercols():
        if isinstance(column.unit, FunctionUnitBase):
            column.description = f"{column.description} [{column.unit}]"
            column.unit = None
    return made


def _ascii(text: str) -> str:
    """A text in the character set of FITS."""
    return text.replace("\N{GREEK SMALL LETTER PHI}", "phi").encode("ascii", "replace").decode()


def _line(text: str) -> str:
    return " ".join(str(text).split())


def _braced(text: str) -> str:
    return re.sub(r"[{}]", "", _line(text))


def _bytes(facts: Mapping[str, str]) -> dict[bytes, bytes]:
    return {name.encode(): value.encode() for name, value in facts.items()}


FORMATS = {  # by the ending of the file: add a format here
    "csv": Format("CSV", _csv),
    "parquet": Format("Parquet", _parquet),
    "vot": Format("VOTable", _votable),
    "fits": Format("FITS", _fits),
    "ecsv": Format("ECSV", _ecsv),
    "reg": Format("DS9 regions", regions),
}
