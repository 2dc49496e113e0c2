"""Fuzzes what reads archives and calendars: ``python fuzz_archives.py -runs=4000``.

The input chooses the parser and a few edits of a good document, or is a document itself. Whatever
it is, the parsers answer or raise :class:`~forecast.errors.ProviderError`, within their limits.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from datetime import date

import atheris
import openpyxl
from harness import fuzz, mutated

with atheris.instrument_imports(include=["forecast.ingest"]):
    from forecast.errors import ProviderError
    from forecast.ingest.documents import Document
    from forecast.ingest.ical import read_calendar
    from forecast.ingest.spreadsheets import read_xlsx
    from forecast.ingest.unpacking import gunzip, unzip

LIMIT = 200_000
SHEET = "xl/worksheets/sheet1.xml"
CALENDAR = (
    b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\nSUMMARY:M\r\n"
    b"DTSTART;TZID=Europe/Paris:20260606T080000\r\nDURATION:PT2H\r\n"
    b"RRULE:FREQ=WEEKLY;BYDAY=SA,SU;COUNT=9\r\nEXDATE;TZID=Europe/Paris:20260613T080000\r\n"
    b"GEO:49.1;0.2\r\nCATEGORIES:A,B\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


def zipped(members: dict[str, bytes]) -> bytes:
    store = io.BytesIO()
    with zipfile.ZipFile(store, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return store.getvalue()


def workbook() -> bytes:
    book, store = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["date", "tonnage", 1.5])
    book.active.append([date(2026, 7, 14), "8,4", True])
    book.save(store)
    return store.getvalue()


GZIP = gzip.compress(b"date;tonnage\n" * 9)
ZIP = zipped({"a.csv": b"date;tonnage\n" * 9, "d/b.csv": b"x"})
BOOK = workbook()
PARTS = unzip(BOOK)


def edited(provider: atheris.FuzzedDataProvider, whole: bytes) -> bytes:
    """A good document of which some bytes are replaced; now and then bytes of its own."""
    if provider.ConsumeIntInRange(0, 9) == 0:
        return provider.ConsumeBytes(provider.remaining_bytes())
    return mutated(provider, whole)


def one(data: bytes) -> None:
    """Give one input to one of the parsers."""
    provider = atheris.FuzzedDataProvider(data)
    turn = provider.ConsumeIntInRange(0, 4)
    try:
        if turn == 0:
            assert len(gunzip(edited(provider, GZIP), LIMIT)) <= LIMIT
        elif turn == 1:
            assert sum(map(len, unzip(edited(provider, ZIP), LIMIT).values())) <= LIMIT
        elif turn == 2:
            read_xlsx(edited(provider, BOOK), limit=LIMIT)
        elif turn == 3:
            # Beneath the checksums of the archive, where the XML is.
            member = provider.PickValueInList(sorted(PARTS))
            read_xlsx(zipped({**PARTS, member: edited(provider, PARTS[member])}), limit=LIMIT)
        else:
            calendar = Document("a.ics", edited(provider, CALENDAR))
            read_calendar(calendar, date(2026, 6, 1), date(2026, 8, 1), "Europe/Paris")
    except ProviderError:
        return


if __name__ == "__main__":
    fuzz(one)
