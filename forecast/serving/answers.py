"""Answers: bytes with their validators, sent whole, compressed, or not at all (RFC 9110).

An :class:`Answer` is made once and sent many times. It is a Starlette response that looks at the
request only when it is sent, so that a route and the short cut in `app.py` return the same object.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

RawHeaders = list[tuple[bytes, bytes]]

CACHE_CONTROL = b"public, max-age=0, must-revalidate"
"""Caches may keep an answer but ask each time: a new publication shows at once, and asking costs
a 304."""

_COMPRESS_FROM, _COMPRESS_TO = 1024, 1 << 20
"""Sizes [bytes] between which compressing during a request is worth its time."""


@dataclass(frozen=True, slots=True)
class _Variant:
    """One encoding of an answer, its headers ready for 200 and for 304."""

    body: bytes
    etag: bytes
    full: RawHeaders
    unchanged: RawHeaders


class Answer(Response):
    """Stored bytes, negotiated when sent: gzip or not, 200 or 304, with or without a body.

    Parameters
    ----------
    body, etag
        The bytes, and what names exactly these bytes (their SHA-256).
    compressed, compressed_etag
        The same with gzip, if there is such a form. Without it, a body of a size worth the time is
        compressed when first asked for.
    last_modified
        Instant of publication, ``YYYY-MM-DDTHH:MM:SSZ``; None for what no publication dates.
    headers
        Further headers of every reply.
    """

    background = None

    def __init__(
        self,
        body: bytes,
        etag: str,
        *,
        compressed: bytes | None = None,
        compressed_etag: str = "",
        media_type: str = "application/json",
        last_modified: str | None = None,
        headers: Iterable[tuple[bytes, bytes]] = (),
    ) -> None:
        self.status_code = 200
        self.body = body
        common = [
            (b"cache-control", CACHE_CONTROL),
            (b"vary", b"Accept-Encoding"),
            (b"x-content-type-options", b"nosniff"),
            *headers,
        ]
        self._modified: float | None = None
        if last_modified is not None:
            modified = datetime.fromisoformat(last_modified)
            self._modified = modified.timestamp()
            common.append((b"last-modified", format_datetime(modified, usegmt=True).encode()))
        kind = (b"content-type", media_type.encode())
        self._identity = _variant(body, etag, [*common], [kind])
        self._as_gzip = (common, [kind, (b"content-encoding", b"gzip")])
        self._compressible = compressed is not None or _COMPRESS_FROM <= len(body) <= _COMPRESS_TO
        self._gzip: _Variant | None = None
        if compressed is not None:
            self._gzip = _variant(compressed, compressed_etag, *self._as_gzip)
        self.raw_headers = self._identity.full

    @property
    def headers(self) -> MutableHeaders:
        """Headers of the uncompressed form."""
        return MutableHeaders(raw=list(self.raw_headers))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what this request should get."""
        encodings = none_match = since = None
        for name, value in scope["headers"]:
            if name == b"accept-encoding":
                encodings = value if encodings is None else encodings + b"," + value
            elif name == b"if-none-match":
                none_match = value if none_match is None else none_match + b"," + value
            elif name == b"if-modified-since":
                since = value
        variant = self._identity
        if self._compressible and encodings is not None and accepts_gzip(encodings):
            variant = self._compressed()
        if none_match is not None:
            unchanged = _matches(none_match, variant.etag)
        else:
            unchanged = since is not None and self._unmodified_since(since)
        status, headers, body = 200, variant.full, variant.body
        if unchanged:
            status, headers, body = 304, variant.unchanged, b""
        elif scope["method"] == "HEAD":
            body = b""
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _compressed(self) -> _Variant:
        if self._gzip is None:
            etag = self._identity.etag.decode().strip('"')
            packed = gzip.compress(self.body, 1, mtime=0)
            self._gzip = _variant(packed, f"{etag}-gzip", *self._as_gzip)
        return self._gzip

    def _unmodified_since(self, since: bytes) -> bool:
        if self._modified is None:
            return False
        try:
            return self._modified <= parsedate_to_datetime(since.decode("latin-1")).timestamp()
        except (ValueError, OverflowError):
            return False  # RFC 9110 § 13.1.3: a date that cannot be read is ignored.


def _variant(body: bytes, etag: str, common: RawHeaders, own: RawHeaders) -> _Variant:
    quoted = f'"{etag}"'.encode()
    unchanged = [(b"etag", quoted), *common]
    length = (b"content-length", str(len(body)).encode())
    return _Variant(body, quoted, [*own, length, *unchanged], unchanged)


def _matches(none_match: bytes, etag: bytes) -> bool:
    """Weak comparison, as If-None-Match asks (RFC 9110 § 13.1.2)."""
    candidates = [part.strip().removeprefix(b"W/") for part in none_match.split(b",")]
    return etag in candidates or candidates == [b"*"]


@lru_cache(maxsize=128)
def accepts_gzip(accept_encoding: bytes) -> bool:
    """Whether an Accept-Encoding header takes gzip.

    >>> accepts_gzip(b"br, gzip;q=0.5"), accepts_gzip(b"gzip;q=0, *"), accepts_gzip(b"*")
    (True, False, True)
    """
    accepted = {}
    for part in accept_encoding.lower().split(b","):
        name, _, weight = part.partition(b";")
        number = weight.partition(b"=")[2].strip()
        accepted[name.strip()] = number.strip(b"0.") != b"" if number else True
    return accepted.get(b"gzip", accepted.get(b"*", False))


def made_answer(
    body: bytes,
    *,
    media_type: str = "application/json",
    last_modified: str | None = None,
    headers: Iterable[tuple[bytes, bytes]] = (),
) -> Answer:
    """An answer from bytes made for this request."""
    return Answer(
        body,
        hashlib.sha256(body).hexdigest(),
        media_type=media_type,
        last_modified=last_modified,
        headers=headers,
    )
