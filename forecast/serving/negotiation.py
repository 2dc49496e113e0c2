"""What a client likes best: an encoding, a language, a media type (RFC 9110 § 12.5)."""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(maxsize=128)
def preferred_encoding(accept_encoding: bytes, offered: tuple[str, ...]) -> str | None:
    """Which of the offered encodings an Accept-Encoding header likes best; None for the plain one.

    Of those liked equally it is the first offered (RFC 9110 § 12.5.3).

    >>> both = ("br", "gzip")
    >>> asked = (b"gzip, deflate, br", b"br;q=0.3, gzip;q=0.5", b"gzip;q=0, *", b"identity")
    >>> [preferred_encoding(accepted, both) for accepted in asked]
    ['br', 'gzip', 'br', None]
    >>> preferred_encoding(b"*", ("gzip",))
    'gzip'
    >>> preferred_encoding(b"gzip;q=0.5, identity", both) is None
    True
    """
    weights: dict[str, float] = {}
    for part in accept_encoding.lower().split(b","):
        name, _, parameters = part.partition(b";")
        weights[name.strip().decode("latin-1")] = _weight(parameters)
    others = weights.get("*", 0.0)
    best: str | None = None
    most = weights.get("identity", 0.0)
    for encoding in offered:
        weight = weights.get(encoding, others)
        if weight > 0 and (weight > most or (best is None and weight == most)):
            best, most = encoding, weight
    return best


def _weight(parameters: bytes) -> float:
    """The weight in ``;q=0.5``: 1 where there is none, and where it cannot be read 0."""
    text = parameters.partition(b"=")[2].strip()
    if not text:
        return 1.0
    try:
        return float(text)
    except ValueError:
        return 0.0


@lru_cache(maxsize=128)
def preferred_language(accept_language: str) -> str:
    """English or French, whichever an Accept-Language header likes better; English if neither.

    >>> [preferred_language(s) for s in ("fr-FR, en;q=0.8", "de, fr;q=0.1", "en, fr", "*", "")]
    ['fr', 'fr', 'en', 'en', 'en']
    """
    weights = {"en": 0.0, "fr": 0.0}
    for part in accept_language.lower().split(","):
        name, _, parameters = part.strip().partition(";")
        language = name.strip().partition("-")[0]
        if language in weights:
            found = re.fullmatch(r"\s*q\s*=\s*([01](?:\.[0-9]*)?)\s*", parameters)
            weight = float(found[1]) if found else float(not parameters)
            weights[language] = max(weights[language], weight)
    return "fr" if weights["fr"] > weights["en"] else "en"


@lru_cache(maxsize=256)
def takes(accept: bytes | None, media_type: str) -> bool:
    """Whether an Accept header takes this media type first; else a route looks at it.

    >>> json = "application/json"
    >>> takes(None, json), takes(b"*/*", json), takes(b"text/csv", json)
    (True, True, False)
    >>> takes(b"application/json, text/csv", json), takes(b"text/html,*/*;q=0.8", json)
    (True, False)
    """
    if accept is None:
        return True
    first = accept.partition(b",")[0].strip().lower()
    kind = media_type.partition(";")[0]
    wanted = (kind, f"{kind.partition('/')[0]}/*", "*/*")
    return first.decode("latin-1") in wanted
