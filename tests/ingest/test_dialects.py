"""A table written in any supported dialect reads back the same; no bytes crash the check."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecast.config import RunConfig
from forecast.ingest import check_folder
from forecast.ingest.contract import CONTRACT

CONFIG = RunConfig.model_validate(
    {
        "id": "t",
        "name": "T",
        "zones": [
            {"id": zone, "name": f"zone {zone}", "population": 1e6, "latitude": 0, "longitude": 0}
            for zone in ("01234", "200084952")
        ],
    }
)
NOW = pd.Timestamp("2026-09-01T12:00Z")

ENCODINGS = ("utf-8", "utf-8-sig", "cp1252", "utf-16")
DAYS = ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y")

NARROW = {"cp1252": "\u00a0"}
"""Windows-1252 has no narrow no-break space."""


@st.composite
def tables(draw: st.DrawFn) -> list[tuple[str, str, date, float | None]]:
    keys = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["01234", "200084952"]),
                st.sampled_from(["P1", "é;,\t", 'dit "x"', "a\nb", "00"]),
                st.integers(0, 2000).map(lambda n: date(2020, 1, 1) + timedelta(days=n)),
            ),
            min_size=1,
            max_size=12,
            unique=True,
        )
    )
    # A number with at least five decimals decides how its column is written.
    values = st.none() | st.integers(0, 9_999_999) | st.integers(0, 10**10).map(lambda n: n / 1e4)
    return [(*key, draw(values)) for key in keys] + [
        ("01234", "decides", date(2026, 1, 31), 1234567.25)
    ]


def written(value: float | None, decimal: str, thousands: str) -> str:
    if value is None:
        return ""
    text = f"{value:,}" if thousands else str(value)
    return text.replace(",", "\0").replace(".", decimal).replace("\0", thousands)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    table=tables(),
    dialect=st.sampled_from(
        list(
            product(
                ";,\t",
                ",.",
                ENCODINGS,
                DAYS,
                ["", " ", "\u00a0", "\u202f", "grouped"],
                ["\n", "\r\n"],
            )
        )
    ),
)
def test_every_dialect_reads_back_the_same(
    table: list[tuple[str, str, date, float | None]], dialect: tuple[str, ...]
) -> None:
    delimiter, decimal, encoding, day, thousands, end = dialect
    if thousands == "grouped":
        thousands = "." if decimal == "," else ","
    elif thousands == "\u202f":
        thousands = NARROW.get(encoding, thousands)
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=end)
    writer.writerow(["zone_id", "site_id", "date", "count"])
    for zone, site, when, value in table:
        writer.writerow([zone, site, when.strftime(day), written(value, decimal, thousands)])
    with TemporaryDirectory() as folder:
        (Path(folder) / "mobility.csv").write_bytes(buffer.getvalue().encode(encoding))
        checked = check_folder(Path(folder), CONFIG, now=NOW)
    assert checked.report.ok, checked.report.text()
    read = {
        (row.zone_id, row.site_id, row.date.date()): row.value
        for row in checked.observations.itertuples()
    }
    assert read == {
        (zone, site.strip(), when): value for zone, site, when, value in table if value is not None
    }


@settings(max_examples=50, deadline=None)
@given(
    source=st.sampled_from(list(CONTRACT)),
    suffix=st.sampled_from([".csv", ".parquet"]),
    data=st.binary(max_size=200),
    header=st.booleans(),
)
def test_no_bytes_crash_the_check(source: str, suffix: str, data: bytes, header: bool) -> None:
    if header:
        data = ";".join(CONTRACT[source].schema.names).encode() + b"\n" + data
    with TemporaryDirectory() as folder:
        (Path(folder) / f"{source}{suffix}").write_bytes(data)
        checked = check_folder(Path(folder), CONFIG, now=NOW)
    assert checked.report.problems
    assert len(checked.derived) == len(checked.observations)


@settings(max_examples=50, deadline=None)
@given(
    source=st.sampled_from(list(CONTRACT)),
    rows=st.lists(
        st.lists(
            st.sampled_from(
                [
                    *("01234", "200084952", "P1", "é", "nan"),
                    *("2026-02-01", "01/02/2026", "9999-12-31", "0001-01-01", "2100-12-31"),
                    *("2026-10-25T02:30", "2026-01-01T05:00Z"),
                    *("12", "1,5", "1.234", "-1", "1e308", "99999999999"),
                ]
            )
            | st.just(""),
            min_size=9,
            max_size=9,
        ),
        max_size=5,
    ),
)
def test_no_cells_crash_the_check(source: str, rows: list[list[str]]) -> None:
    names = CONTRACT[source].schema.names
    lines = [";".join(names), *(";".join(row[: len(names)]) for row in rows)]
    with TemporaryDirectory() as folder:
        (Path(folder) / f"{source}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        checked = check_folder(Path(folder), CONFIG, now=NOW)
    assert checked.report.problems
    assert set(checked.observations["zone_id"]) <= {"01234", "200084952"}
