"""One question over HTTP and its answer, bounded in time and size."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urlsplit

import httpx2
import pandas as pd

from forecast import __version__
from forecast.errors import ProviderError
from forecast.ingest.answers import Hidden, Response, excerpt, pause_asked, reason

USER_AGENT = f"afflux/{__version__}"
_MAY_PASS = frozenset({429, 502, 503, 504})
_LONGEST_PAUSE = 60.0
"""A longer pause [s] is for the next run to keep, not for this one."""
_REDIRECTS = 5


class MayPass(Exception):  # noqa: N818 (the client makes a ProviderError of it)
    """A failure that may pass; ``pause`` is how long the server wants to be left alone [s], and
    ``until`` the instant that ends it (UTC, ISO 8601)."""

    def __init__(self, message: str, pause: float | None = None, until: str | None = None) -> None:
        super().__init__(message)
        self.pause, self.until = pause, until


@dataclass(frozen=True)
class Question:
    """What is asked: ``url`` in full, never shown, and ``shown``, the same without secrets;
    ``hidden`` are these, which the server may repeat."""

    method: str
    url: str = field(repr=False)
    shown: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    accept: tuple[str, ...]
    max_bytes: int
    hidden: Hidden


class Wire:
    """Connections to servers; the parameters are those of :class:`forecast.ingest.http.Client`."""

    def __init__(
        self, now: Callable[[], pd.Timestamp], timeout_seconds: float, deadline_seconds: float
    ) -> None:
        self._now, self._timeout, self._deadline = now, timeout_seconds, deadline_seconds
        self._opened: httpx2.Client | None = None

    def close(self) -> None:
        """Close the connections that were kept open."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def ask(self, question: Question) -> Response:
        """Ask once.

        Raises
        ------
        MayPass
            If it is worth asking again.
        ProviderError
            If it is not.
        """
        shown, url, start = question.shown, question.url, time.monotonic()
        try:
            for _ in range(_REDIRECTS):
                with self._http().stream(
                    question.method, url, headers=question.headers, content=question.body
                ) as answer:
                    if not answer.has_redirect_location:
                        return self._read(answer, question, start)
                    url = _same_host(url, answer.headers["location"], question)
        except httpx2.InvalidURL as error:
            raise ProviderError(
                f"{shown}: cannot be asked, the address is wrong ({error})"
            ) from None
        except httpx2.UnsupportedProtocol:
            raise ProviderError(f"{shown}: expected an address in http:// or https://") from None
        except httpx2.DecodingError:
            raise ProviderError(f"{shown}: the compression of the answer is broken") from None
        except httpx2.TimeoutException:
            raise MayPass(f"nothing came for {self._timeout:g} s") from None
        except httpx2.TransportError as error:
            raise MayPass(f"no whole answer came ({error or type(error).__name__})") from None
        raise ProviderError(f"{shown}: redirected more than {_REDIRECTS} times")

    def _read(self, answer: httpx2.Response, question: Question, start: float) -> Response:
        """The whole answer, its status and type accepted."""
        headers = {name.lower(): value for name, value in answer.headers.items()}
        status, shown = answer.status_code, question.shown
        if status == 304:
            return Response(status, headers, b"", shown, unchanged=True)
        coding = headers.get("content-encoding", "identity").strip().lower()
        if coding not in ("identity", "gzip"):
            raise ProviderError(f"{shown}: the answer is coded as {coding}, not gzip as was asked")
        body = self._body(answer, question, start)
        if not 200 <= status < 300:
            said = f"answered {status}{reason(question.hidden.mask(body))}"
            if status not in _MAY_PASS:
                raise ProviderError(f"{shown}: {said}")
            pause, until = pause_asked(headers, body, self._now())
            if pause is not None and pause > _LONGEST_PAUSE:
                raise ProviderError(f"{shown}: {said}; it asks to wait until {until}", until)
            raise MayPass(said, pause, until)
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if question.accept and kind and kind not in question.accept:
            raise ProviderError(
                f"{shown}: expected {' or '.join(question.accept)}, the answer is {kind} and "
                f"begins with {excerpt(question.hidden.mask(body))}"
            )
        return Response(status, headers, body, shown)

    def _body(self, answer: httpx2.Response, question: Question, start: float) -> bytes:
        body = bytearray()
        for chunk in answer.iter_bytes():
            body += chunk
            if len(body) > question.max_bytes:
                raise ProviderError(
                    f"{question.shown}: the answer exceeds {question.max_bytes:,} bytes and was "
                    "given up; ask for fewer days or fields"
                )
            if time.monotonic() - start > self._deadline:
                raise ProviderError(
                    f"{question.shown}: the answer was not complete after {self._deadline:g} s "
                    f"({len(body):,} bytes came)"
                )
        return bytes(body)

    def _http(self) -> httpx2.Client:
        if self._opened is None:
            log = logging.getLogger("httpx2")
            if not any(isinstance(found, _NoQuery) for found in log.filters):
                log.addFilter(_NoQuery())
            # Only gzip is asked for: what other codings make of a few bytes knows no bounds.
            headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"}
            self._opened = httpx2.Client(headers=headers, timeout=self._timeout, verify=_tls())
        return self._opened


@cache
def _tls() -> ssl.SSLContext:
    """One for all clients: reading the certificates anew takes a tenth of a second each time."""
    return httpx2.create_ssl_context()


class _NoQuery(logging.Filter):
    """Takes the query off the addresses that the library logs: it may hold a key."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                argument.copy_with(query=None) if isinstance(argument, httpx2.URL) else argument
                for argument in record.args
            )
        return True


def _same_host(url: str, location: str, question: Question) -> str:
    """Where a redirect leads, if that is the same host and no step down from https."""
    target = str(httpx2.URL(url).join(location))
    old, new = urlsplit(url), urlsplit(target)
    moved_up = (old.scheme, new.scheme) == ("http", "https") and old.port in (None, 80)
    same = old.hostname == new.hostname and (
        (old.scheme, old.port) == (new.scheme, new.port) or (moved_up and new.port in (None, 443))
    )
    if question.method != "GET" or not same:
        raise ProviderError(
            f"{question.shown}: redirects to {new.scheme}://{new.hostname}, which is not "
            "followed; if the provider has moved, correct its address in the configuration"
        )
    return target
