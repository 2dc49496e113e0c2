"""Answers: bytes with their validators, sent whole, compressed, or not at all (RFC 9110).

An :class:`Answer` is made once and sent many times. It is a Starlette response that looks at the
request only when it is sent, so that a route and the short cut in `app.py` return the same object.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from forecast.serving.headers import DATA_HEADERS, RawHeaders
from forecast.serving.negotiation import preferred_encoding

CACHE_CONTROL = b"public, max-age=0, must-revalidate"
"""Caches may keep an answer but ask each time: a new publication shows at once, and asking costs
a 304."""

PREFERRED = ("br", "gzip")
"""Encodings, the first being chosen where a client likes several equally."""

_COMPRESS_FROM, _COMPRESS_TO = 1024, 1 << 20
"""Sizes [bytes] between which compressing during a request is worth its time."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent: ``lines`` are the headers as they go over the wire."""

    status: int
    headers: RawHeaders
    lines: bytes
    body: bytes

    @classmethod
    def of(cls, status: int, headers: RawHeaders, body: bytes) -> Reply:
        """Render the headers."""
        return cls(status, headers, rendered(headers), body)

    def bodiless(self) -> Reply:
        """The same for HEAD."""
        return Reply(self.status, self.headers, self.lines, b"")


@dataclass(frozen=True, slots=True)
class _Variant:
    """One encoding of an answer, ready for 200 and for 304."""

    etag: bytes
    full: Reply
    unchanged: Reply


class Answer(Response):
    """Stored bytes, negotiated when sent: compressed or not, 200 or 304, with or without a body.

    Parameters
    ----------
    body, etag
        The bytes, and what names exactly these bytes (their SHA-256).
    encodings
        The same bytes compressed, by the name of the encoding (``gzip``, ``br``), each with what
        names it. Where there is none, a body of a size worth the time is compressed with gzip when
        first asked for.
    media_type
        Content-Type.
    last_modified
        Instant of publication, ``YYYY-MM-DDTHH:MM:SSZ``; None for what no publication dates.
    headers
        Further headers of every reply.
    vary
        Request headers that choose among answers of the same path.
    security
        Headers that protect the reader: those of data, or a page's
        (:func:`forecast.serving.headers.page_headers`).
    """

    background = None

    def __init__(
        self,
        body: bytes,
        etag: str,
        *,
        encodings: Mapping[str, tuple[bytes, str]] | None = None,
        media_type: str = "application/json",
        last_modified: str | None = None,
        headers: Iterable[tuple[bytes, bytes]] = (),
        vary: str = "Accept-Encoding",
        security: RawHeaders = DATA_HEADERS,
    ) -> None:
        self.status_code = 200
        self.body = body
        self.media_type = media_type
        self._common = [
            (b"cache-control", CACHE_CONTROL),
            (b"vary", vary.encode()),
            *security,
            *headers,
        ]
        self._modified: float | None = None
        if last_modified is not None:
            modified = datetime.fromisoformat(last_modified)
            self._modified = modified.timestamp()
            self._common.append((b"last-modified", format_datetime(modified, usegmt=True).encode()))
        self._kind = (b"content-type", media_type.encode())
        self._identity = self._variant(body, etag, [])
        self._encoded = {
            name: self._variant(packed, packed_etag, [(b"content-encoding", name.encode())])
            for name, (packed, packed_etag) in (encodings or {}).items()
        }
        self._offered = tuple(name for name in PREFERRED if name in self._encoded)
        if not self._offered and _COMPRESS_FROM <= len(body) <= _COMPRESS_TO:
            self._offered = ("gzip",)
        self.raw_headers = self._identity.full.headers

    @property
    def headers(self) -> MutableHeaders:
        """Headers of the uncompressed form."""
        return MutableHeaders(raw=list(self.raw_headers))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what this request should get."""
        reply = self.chosen(scope)
        start = {"type": "http.response.start", "status": reply.status, "headers": reply.headers}
        await send(start)
        await send({"type": "http.response.body", "body": reply.body})

    def chosen(self, scope: Scope) -> Reply:
        """What this request should get; shared, so not to be changed."""
        accepted = none_match = since = None
        for name, value in scope["headers"]:
            if name == b"accept-encoding":
                accepted = value if accepted is None else accepted + b"," + value
            elif name == b"if-none-match":
                none_match = value if none_match is None else none_match + b"," + value
            elif name == b"if-modified-since":
                since = value
        variant = self._identity
        if accepted is not None and self._offered:
            encoding = preferred_encoding(accepted, self._offered)
            if encoding is not None:
                variant = self._encoded.get(encoding) or self._compressed()
        if none_match is not None:
            unchanged = _matches(none_match, variant.etag)
        else:
            unchanged = since is not None and self._unmodified_since(since)
        if unchanged:
            return variant.unchanged
        return variant.full.bodiless() if scope["method"] == "HEAD" else variant.full

    def _variant(self, body: bytes, etag: str, own: RawHeaders) -> _Variant:
        quoted = f'"{etag}"'.encode()
        unchanged = [(b"etag", quoted), *self._common]
        length = (b"content-length", str(len(body)).encode())
        full = [self._kind, *own, length, *unchanged]
        return _Variant(quoted, Reply.of(200, full, body), Reply.of(304, unchanged, b""))

    def _compressed(self) -> _Variant:
        etag = self._identity.etag.decode().strip('"')
        packed = gzip.compress(self.body, 1, mtime=0)
        variant = self._variant(packed, f"{etag}-gzip", [(b"content-encoding", b"gzip")])
        self._encoded["gzip"] = variant
        return variant

    def _unmodified_since(self, since: bytes) -> bool:
        if self._modified is None:
            return False
        try:
            return self._modified <= parsedate_to_datetime(since.decode("latin-1")).timestamp()
        except (ValueError, OverflowError):
            return False  # RFC 9110 § 13.1.3: a date that cannot be read is ignored.


def rendered(headers: RawHeaders) -> bytes:
    """Headers as lines of HTTP/1.1.

    >>> rendered([(b"etag", b'"a"'), (b"vary", b"Origin")])
    b'etag: "a"\\r\\nvary: Origin\\r\\n'
    """
    return b"".join(b"%s: %s\r\n" % header for header in headers)


def _matches(none_match: bytes, etag: bytes) -> bool:
    """Weak comparison, as If-None-Match asks (RFC 9110 § 13.1.2)."""
    candidates = [part.strip().removeprefix(b"W/") for part in none_match.split(b",")]
    return etag in candidates or candidates == [b"*"]


def made_answer(
    body: bytes,
    *,
    media_type: str = "application/json",
    last_modified: str | None = None,
    headers: Iterable[tuple[bytes, bytes]] = (),
    vary: str = "Accept-Encoding",
    security: RawHeaders = DATA_HEADERS,
) -> Answer:
    """An answer from bytes made for this request."""
    return Answer(
        body,
        hashlib.sha256(body).hexdigest(),
        media_type=media_type,
        last_modified=last_modified,
        headers=headers,
        vary=vary,
        security=security,
    )
