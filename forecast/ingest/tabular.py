"""Tables of a provider's own layout, read with the habits of the input contract.

CSV or XLSX, whatever the delimiter, the encoding, the decimal separator or the order of dates;
what cannot be read for certain is refused with its file, line and column, as `afflux check` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from forecast.errors import ConfigError, ProviderError
from forecast.ingest.cells import Typed, understand
from forecast.ingest.contract import SourceTable
from forecast.ingest.decoding import EncodingFault, decode
from forecast.ingest.documents import Document
from forecast.ingest.kinds import BLOCKING
from forecast.ingest.place import Place
from forecast.ingest.raw import RawTable, check_header
from forecast.ingest.reading import parse_csv
from forecast.ingest.report import Findings
from forecast.ingest.shape import to_columns
from forecast.ingest.spreadsheets import is_xlsx, read_xlsx

EVERY_ROW = 10_000_000
"""For :class:`~forecast.ingest.report.Findings` to list every row it refuses."""


def renamed(table: SourceTable, columns: Mapping[str, str]) -> SourceTable:
    """The table with the names that a file gives its columns: ``columns`` by the table's names.

    Raises
    ------
    ConfigError
        If the table has no such column, or two get one name.
    """
    unknown = sorted(set(columns) - set(table.schema.names))
    if unknown:
        raise ConfigError(
            f"columns: there is no column {unknown[0]!r} to name; expected some of "
            f"{', '.join(table.schema.names)}"
        )
    given = tuple(replace(c, name=columns.get(c.name, c.name)) for c in table.schema.columns)
    if len({c.name for c in given}) < len(given):
        raise ConfigError("columns: two columns are given the same name in the file")
    schema = replace(table.schema, columns=given)
    variables = tuple(columns.get(n, n) for n in table.variables)
    needs = tuple(columns.get(n, n) for n in table.needs)
    return replace(table, schema=schema, variables=variables, needs=needs)


def read_table(
    document: Document, table: SourceTable, place: Place, findings: Findings, *, sheet: str = ""
) -> Typed:
    """A file understood cell by cell; rows at fault are marked ``bad`` and recorded.

    Raises
    ------
    ProviderError
        If the file as a whole cannot be understood: encoding, delimiter, header, order of dates.
    """
    if is_xlsx(document.data):
        raw = _from_workbook(document, table, findings, sheet)
    else:
        raw = _from_text(document, table, findings)
    typed = None if raw is None else understand(raw, table, place, findings)
    if typed is None:
        whole = [p for p in findings.report().blocking if p.file == document.name]
        raise ProviderError(whole[0].text())
    return typed


def _from_text(document: Document, table: SourceTable, findings: Findings) -> RawTable | None:
    text = decode(document.data)
    if isinstance(text, EncodingFault):
        findings.add(
            "encoding",
            document.name,
            text.what,
            line=text.line,
            value=text.value,
            advice=text.advice,
        )
        return None
    return parse_csv(document.name, text, table, findings)


def _from_workbook(
    document: Document, table: SourceTable, findings: Findings, sheet: str
) -> RawTable | None:
    lines, rows = read_xlsx(document.data, sheet, name=document.name)
    if not rows:
        findings.add("unreadable", document.name, "the sheet is empty", expected="a header")
        return None
    header = rows[0]
    places = check_header(document.name, header, table, findings, line=lines[0])
    if places is None:
        return None
    # A sheet's rows end with their last cell: they are not ragged for being shorter.
    body = [row + [""] * (len(header) - len(row)) for row in rows[1:]]
    return to_columns(document.name, "\n", lines[1:], body, len(header), places, findings)


def refused(findings: Findings) -> tuple[str, ...]:
    """One sentence for each row that was refused; whole files raise instead."""
    problems = findings.report().problems
    rows = [p for p in problems if p.severity == "error" and p.kind not in BLOCKING]
    return tuple(p.text() for p in rows)
