"""Values of a feed that the configuration maps: found by a path, read for certain or refused."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from math import isfinite, nan
from typing import Any

import pandas as pd

from forecast.errors import ProviderError
from forecast.ingest.answers import excerpt
from forecast.ingest.decoding import EncodingFault, decode

ABSENT = object()
"""What a path leads to where there is nothing; None is a value."""

_NUMBER = re.compile(r"[+-]?\d{1,15}(?:[.,]\d{1,15})?", re.ASCII)
_THOUSANDS = re.compile(r"[1-9]\d{0,2}[.,]\d{3}", re.ASCII)


def at_path(value: Any, path: str) -> Any:
    """What a path of names and places leads to; :data:`ABSENT` where it leads nowhere.

    >>> at_path({"a": [{"d": 2}]}, "a.0.d"), at_path({"a.b": 1}, "a.b")
    (2, 1)
    """
    if isinstance(value, dict) and path in value:
        return value[path]
    for part in path.split(".") if path else ():
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and re.fullmatch(r"[0-9]{1,6}", part):
            if int(part) >= len(value):
                return ABSENT
            value = value[int(part)]
        else:
            return ABSENT
    return value


def text(value: Any) -> str:
    """A word or a number as text, stripped; empty where there is none.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if value is None or value is ABSENT:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{str(value)[:40]!r} found; expected a word or a number")
    if isinstance(value, int) and abs(value) > 10**18:
        raise ValueError("a number of more than 18 digits found")
    return str(value).strip()


def number(value: Any, field: str, *, small: bool = False) -> float:
    """A number, NaN where there is none; ``field`` is what messages call it.

    A text may have a decimal comma or point; ``1,234`` has two readings and is refused, unless the
    number is ``small``: below a thousand by its nature, as degrees are.

    Raises
    ------
    ValueError
        If it is no finite number.
    """
    if value is None or value is ABSENT:
        return nan
    if isinstance(value, str):
        written = value.strip().replace("\u202f", "").replace("\u00a0", "")
        if not written:
            return nan
        if _NUMBER.fullmatch(written) and (small or not _THOUSANDS.fullmatch(written)):
            return float(written.replace(",", "."))
    elif isinstance(value, bool):
        pass
    elif isinstance(value, int | float) and abs(value) < 1e15 and isfinite(value):
        return float(value)
    raise ValueError(f"{field} is {str(value)[:40]!r}; expected a number, or nothing")


def instant(value: Any, field: str, written: str) -> str:
    """A time as text, empty where there is none.

    ``written`` is ``iso``, or ``epoch`` or ``epoch_ms`` for seconds or milliseconds since 1970,
    which become ISO 8601.

    Raises
    ------
    ValueError
        If an epoch is no number between 2000 and 2100.
    """
    if written == "iso":
        return text(value)
    seconds = number(value, field) / (1000 if written == "epoch_ms" else 1)
    if not isfinite(seconds):
        return ""
    if not 946_684_800 <= seconds < 4_102_444_800:
        raise ValueError(f"{field} is {value!r}; expected {written} of an instant after 2000")
    return f"{pd.Timestamp(seconds, unit='s'):%Y-%m-%dT%H:%M:%SZ}"


def csv_items(
    data: bytes, delimiter: str, columns: Sequence[str], *, name: str
) -> list[dict[str, str]]:
    """The rows of a CSV by column; ``name`` is what messages call it.

    Raises
    ------
    ProviderError
        If it is no CSV, or one of ``columns`` is not in its header.
    """
    content = decode(data)
    if isinstance(content, EncodingFault):
        raise ProviderError(f"{name}: {content.what} ({content.value}); expected a CSV in UTF-8")
    try:
        rows = list(csv.reader(io.StringIO(content, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise ProviderError(
            f"{name}: expected a CSV ({error}); it begins with {excerpt(data)}"
        ) from None
    header = [cell.strip() for cell in rows[0]] if rows else []
    lost = [column for column in columns if column not in header]
    if lost:
        raise ProviderError(
            f"{name}: there is no column {lost[0]!r}, which the configuration names; the header "
            f"reads {delimiter.join(header)[:200]!r}"
        )
    return [dict(zip(header, row, strict=False)) for row in rows[1:] if any(row)]
