"""The cells of an XLSX workbook as text, the way a CSV of it would show them.

Formulas are not computed: the value that the spreadsheet program stored is read. Macros, links and
styles are ignored. The archive is unpacked under limits (:mod:`forecast.ingest.unpacking`) and
document type declarations, which the format forbids, are refused before any XML is read.

References
----------
ECMA-376, Office Open XML file formats.
"""

from __future__ import annotations

import datetime as dt
import io
import warnings
import zipfile

from forecast.errors import ProviderError
from forecast.ingest.unpacking import LIMIT, unzip

MAX_ROWS = 200_000
"""Rows that a sheet may have."""
MAX_COLUMNS = 200
"""Columns that are looked at."""

_CONTENT = "[Content_Types].xml"
_DECLARATION = "<!DOCTYPE"


def is_xlsx(data: bytes) -> bool:
    """Whether bytes look like a workbook (or another Office document): a zip with its table.

    >>> is_xlsx(b"date;tonnage")
    False
    """
    return data.startswith(b"PK\x03\x04") and _CONTENT.encode() in data


def read_xlsx(
    data: bytes, sheet: str = "", *, name: str = "the workbook", limit: int = LIMIT
) -> tuple[list[int], list[list[str]]]:
    """Rows of one sheet that hold anything: the number of each (the first is 1), and its cells.

    Days are written as 2026-07-14, instants as 2026-07-14T08:30:00; numbers with a decimal point,
    in a way that no reader takes for thousands; cells that hold an error as Excel shows it.

    Parameters
    ----------
    data
        The workbook.
    sheet
        Name of the sheet; the first one where empty.
    name
        What messages call the workbook.
    limit
        Bytes it may unpack to.

    Raises
    ------
    ProviderError
        If it is not a workbook, is damaged or too large, or has no such sheet.
    """
    members = unzip(data, limit, name=name)
    if _CONTENT not in members:
        raise ProviderError(f"{name} is not an XLSX workbook: it holds no {_CONTENT}")
    for member, content in members.items():
        if any(_DECLARATION.encode(e) in content for e in ("ascii", "utf-16-le", "utf-16-be")):
            raise ProviderError(
                f"{name}: {member[:80]!r} holds a document type declaration, which workbooks never "
                "do; save the workbook again from a spreadsheet program"
            )
    try:
        with warnings.catch_warnings():
            # Styles or dates it does not know; such dates come out as errors, which are refused.
            warnings.simplefilter("ignore")
            return _rows(_packed(members), sheet, name)
    except ProviderError:
        raise
    except Exception as error:
        # The reader has no error of its own: a damaged workbook breaks it in a dozen ways.
        raise ProviderError(
            f"{name} is not a workbook that can be read ({type(error).__name__}: "
            f"{str(error)[:120]}); save it again as 'Classeur Excel (.xlsx)', or as CSV UTF-8"
        ) from error


def _packed(members: dict[str, bytes]) -> io.BytesIO:
    """The members that were unpacked under limits, so that nothing else is read."""
    store = io.BytesIO()
    with zipfile.ZipFile(store, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    store.seek(0)
    return store


def _rows(store: io.BytesIO, sheet: str, name: str) -> tuple[list[int], list[list[str]]]:
    # Half a second to import, for those who have workbooks.
    from openpyxl import load_workbook

    book = load_workbook(store, read_only=True, data_only=True, keep_links=False)
    try:
        names = [ws.title for ws in book.worksheets]
        if not names or (sheet and sheet not in names):
            raise ProviderError(
                f"{name} has no sheet {sheet!r}; it has {', '.join(map(repr, names)) or 'none'}"
            )
        numbers: list[int] = []
        rows: list[list[str]] = []
        found = book[sheet or names[0]]
        cells = found.iter_rows(
            min_row=1, max_row=MAX_ROWS + 1, max_col=MAX_COLUMNS, values_only=True
        )
        for number, row in enumerate(cells, start=1):
            texts = [_text(cell) for cell in row]
            while texts and not texts[-1]:
                texts.pop()
            if not texts:
                continue
            if number > MAX_ROWS:
                raise ProviderError(f"{name} has more than {MAX_ROWS:,} rows; export it as CSV")
            numbers.append(number)
            rows.append(texts)
        return numbers, rows
    finally:
        book.close()


def _text(cell: object) -> str:
    """One cell as text."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return _number(cell)
    if isinstance(cell, dt.datetime):
        midnight = cell.time() == dt.time()
        return cell.date().isoformat() if midnight else cell.isoformat(timespec="seconds")
    return str(cell)


def _number(value: float) -> str:
    """A number that reads in one way only: 1.234 might be a thousand, 1.2340 is not."""
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = repr(value)
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals}0" if len(decimals) == 3 else text
