"""What a server answered: data, or why it refuses and how long to wait; and what may be shown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, quote_plus

import pandas as pd

from forecast.errors import ProviderError

_REASONS = ("reason", "message", "error", "detail", "title", "errors")
"""Keys under which the providers' JSON says what is wrong, in the order of preference."""


@dataclass(frozen=True)
class Response:
    """A whole answer: names of ``headers`` in lower case, ``url`` without secrets.

    ``unchanged`` says that a conditional request met what was stored last time (304); the body is
    then empty.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    unchanged: bool = False

    def json(self) -> Any:
        """The body as JSON.

        Raises
        ------
        ProviderError
            If it is not JSON; names the URL and the first bytes.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise ProviderError(
                f"{self.url}: expected JSON, the answer begins with {excerpt(self.body)}"
            ) from None


_LIMITS = {"Minutely": "min", "Hourly": "h", "Daily": "D"}
"""First words of Open-Meteo's "Hourly API request limit exceeded", and what ends at its end."""


class Hidden:
    """Secrets, to be taken out of texts: as they are, and as an address would write them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        given = [text for text in secrets if text.strip()]
        # Of `Bearer abc` the last word alone is worth hiding too: a server may repeat it.
        words = {*given, *(text.split()[-1] for text in given)}
        forms = {form for word in words for form in (word, quote(word, safe=""), quote_plus(word))}
        self._forms = sorted((form for form in forms if len(form) > 3), key=len, reverse=True)

    def __repr__(self) -> str:
        return f"<{len(self._forms)} hidden>"

    def hide(self, text: str) -> str:
        """The text with ``***`` in the place of every secret."""
        for form in self._forms:
            text = text.replace(form, "***")
        return text

    def mask(self, body: bytes) -> bytes:
        """The same of a body, to be done before it is cut: half a secret would not be found."""
        for form in self._forms:
            body = body.replace(form.encode(), b"***")
        return body


def excerpt(body: bytes, limit: int = 80) -> str:
    """The first bytes of a body, on one line, in quotes."""
    text = body[:limit].decode("utf-8", errors="replace")
    return repr(" ".join(text.split())) if body else "nothing at all"


def reason(body: bytes) -> str:
    """Why a request was refused, in brackets, from the body of the answer; empty if it is."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if isinstance(said, Mapping):
        for key in _REASONS:
            if isinstance(said.get(key), str) and said[key].strip():
                return f" ({' '.join(said[key].split())[:300]})"
    return f" ({excerpt(body)})" if body.strip() else ""


def pause_asked(
    headers: Mapping[str, str], body: bytes, now: pd.Timestamp
) -> tuple[float | None, str | None]:
    """How long the server wants to be left alone [s], and until when (UTC, ISO 8601).

    ``Retry-After`` in seconds or as a date (RFC 9110, 10.2.3), else ``reset_time`` of
    Opendatasoft's JSON, or the limit that Open-Meteo's names. None where it does not say, or not so
    that it can be read.
    """
    given = headers.get("retry-after", "").strip()
    until: pd.Timestamp | None = None
    try:
        if given.isascii() and given.isdigit():
            until = now + pd.Timedelta(seconds=min(int(given), 400 * 86400))
        elif given:
            until = pd.Timestamp(parsedate_to_datetime(given))
        else:
            said = json.loads(body)
            said = said if isinstance(said, dict) else {}
            text, why = said.get("reset_time"), said.get("reason")
            until = pd.Timestamp(text) if isinstance(text, str) else None
            limit = _LIMITS.get(why.partition(" ")[0]) if isinstance(why, str) else None
            until = now.tz_convert("UTC").ceil(limit) if limit else until
        if until is None or pd.isna(until):
            return None, None
        until = until.tz_localize("UTC") if until.tz is None else until.tz_convert("UTC")
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None, None
    pause = max((until - now).total_seconds(), 0.0)
    return pause, until.isoformat(timespec="seconds").replace("+00:00", "Z")
