"""Headers that protect whoever reads the answers, and headers that say when something is wrong."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection
from datetime import datetime

RawHeaders = list[tuple[bytes, bytes]]

DATA_HEADERS: RawHeaders = [
    (b"x-content-type-options", b"nosniff"),
    # Open data: a page of any site may load it. Whether its script may read it is for CORS.
    (b"cross-origin-resource-policy", b"cross-origin"),
]
"""Of every answer that is not a page."""

EXPOSED = "ETag, Last-Modified, Retry-After, RateLimit, RateLimit-Policy, Afflux-Publication, "
EXPOSED += "Afflux-Degraded, Afflux-Missed-Runs, Afflux-Request"
"""What a script of an allowed origin may read, beside what it always may."""

LATE_FRACTION = 0.1
"""A publication is missed once this part of its cadence has passed: a run takes time, and the day
on which clocks go back has 25 hours."""


def style_hash(text: str) -> str:
    """The source expression that allows exactly this inline style sheet or script (CSP level 3)."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


_NOTHING = ("default-src", "base-uri", "form-action", "frame-ancestors")


def page_headers(**allowed: str) -> RawHeaders:
    """Headers of a page: it may load what is ``allowed`` by directive and nothing else.

    >>> dict(page_headers(style_src="'self'"))[b"content-security-policy"].decode()[:38]
    "style-src 'self'; default-src 'none'; "
    """
    policy = {name.replace("_", "-"): sources for name, sources in allowed.items()}
    policy |= {name: "'none'" for name in _NOTHING if name not in policy}
    text = "; ".join(f"{name} {sources}" for name, sources in policy.items())
    return [
        (b"content-security-policy", text.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),  # For browsers that do not know frame-ancestors.
        (b"referrer-policy", b"no-referrer"),
        (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
    ]


def missed_runs(published_at: datetime, now: datetime, every_hours: float) -> int:
    """Publications that should have come since this one; 0 if the clock stands before it.

    >>> from datetime import timedelta, timezone
    >>> then = datetime(2026, 7, 1, 6, tzinfo=timezone.utc)
    >>> [missed_runs(then, then + timedelta(hours=h), 24) for h in (-5, 0, 26, 27, 50, 51)]
    [0, 0, 0, 1, 1, 2]
    """
    cadences = (now - published_at).total_seconds() / 3600 / every_hours
    return max(0, int(cadences - LATE_FRACTION))


def flags(refused: bool, missed: int) -> RawHeaders:
    """What every answer says when something is wrong; nothing when all is well."""
    found: RawHeaders = []
    if refused:
        found.append((b"afflux-degraded", b"publication-refused"))
    if missed:
        found.append((b"afflux-missed-runs", b"%d" % missed))
    return found


def cors(origin: bytes | None, allowed: Collection[bytes]) -> RawHeaders:
    """Headers by which a page of an allowed origin may read an answer (Fetch standard)."""
    found: RawHeaders = [(b"vary", b"Origin")]
    if origin in allowed and origin is not None:
        found.append((b"access-control-allow-origin", origin))
        found.append((b"access-control-expose-headers", EXPOSED.encode()))
    return found
