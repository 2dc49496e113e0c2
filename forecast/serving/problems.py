"""Errors of the API: every kind of problem there is, and the exception that raises one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 30
_REPEATED = 200
MAX_LISTED = 100
"""Values listed at most in an error, so that a reply about one zone of thousands stays short."""


@dataclass(frozen=True)
class Kind:
    """A kind of problem: the anchor of its ``type`` in the documentation, and what to do."""

    slug: str
    status: int
    title: str
    remedy: str


NOT_FOUND = Kind("not-found", 404, "No such page", "Use one of the paths listed in /docs.")
UNKNOWN_ZONE = Kind("unknown-zone", 404, "Unknown zone", "Use a zone_id that /v1/zones lists.")
METHOD_NOT_ALLOWED = Kind(
    "method-not-allowed", 405, "Method not allowed", "Use a method that Allow lists."
)
INVALID_PARAMETER = Kind(
    "invalid-parameter",
    422,
    "Invalid parameter",
    "Correct or remove the parameters named in errors; each route lists its own in /docs.",
)
INTERNAL_ERROR = Kind(
    "internal-error",
    500,
    "Internal error",
    "Try again; if it lasts, tell whoever runs this server, whose log has the details.",
)
NO_PUBLICATION = Kind(
    "no-publication",
    503,
    "No publication to serve",
    "Publish forecasts with `afflux publish`, then ask again; no restart is needed.",
)
NOT_ACCEPTABLE = Kind(
    "not-acceptable", 406, "Format not offered", "Ask for a format that the detail names."
)
UNAUTHORIZED = Kind(
    "unauthorized",
    401,
    "Key needed",
    "Send a key: `Authorization: Bearer afflux_...`; whoever runs this server makes one with "
    "`afflux keys add`.",
)
FORBIDDEN = Kind(
    "forbidden",
    403,
    "Key without this scope",
    "Ask whoever runs this server for a key with the scope that the detail names.",
)
TOO_SLOW = Kind(
    "too-slow", 408, "Request too slow", "Send the whole request at once, then ask again."
)
BODY_TOO_LARGE = Kind(
    "body-too-large", 413, "Body too large", "Send less at once; the detail says how much."
)
URL_TOO_LONG = Kind(
    "url-too-long", 414, "URL too long", "Leave out filters or ask in several requests."
)
UNSUPPORTED_MEDIA_TYPE = Kind(
    "unsupported-media-type",
    415,
    "Unsupported media type",
    "Send the body as the Content-Type that /docs names for this route.",
)
TOO_MANY_REQUESTS = Kind(
    "too-many-requests",
    429,
    "Too many requests",
    "Wait as many seconds as Retry-After says; poll with If-None-Match, and ask for all zones in "
    "one call.",
)
HEAD_TOO_LARGE = Kind(
    "head-too-large", 431, "Headers too large", "Send fewer or shorter headers and cookies."
)
KEYS_UNREADABLE = Kind(
    "keys-unreadable",
    503,
    "Keys cannot be read",
    "Whoever runs this server must mend the file of keys; forecasts are served meanwhile.",
)
UNKNOWN_SOURCE = Kind(
    "unknown-source", 404, "Unknown source", "Use a source that errors[0].expected lists."
)
UNKNOWN_WEBHOOK = Kind(
    "unknown-webhook", 404, "Unknown webhook", "Use an id that GET /v1/webhooks lists."
)
FILE_REFUSED = Kind(
    "file-refused",
    422,
    "File refused",
    "Correct the lines that report.problems lists and send the file again; nothing was stored.",
)
WORKER_UNAVAILABLE = Kind(
    "worker-unavailable",
    503,
    "Not available just now",
    "Ask again after Retry-After seconds; forecasts are served meanwhile.",
)
TOO_MANY_CONNECTIONS = Kind(
    "too-many-connections", 503, "Too many connections", "Try again after Retry-After seconds."
)
NOT_YET_PUBLISHED = Kind(
    "not-yet-published",
    404,
    "Nothing had been published then",
    "Ask for a later instant; the detail names the first publication.",
)
UNKNOWN_DAY = Kind(
    "unknown-day", 404, "No forecast of that day", "Use a day that errors[0].expected lists."
)
STORED_UNREADABLE = Kind(
    "stored-unreadable",
    503,
    "Damaged on disk",
    "Whoever runs this server must publish again, or restore the file that its log names; all "
    "other answers are served meanwhile.",
)
REQUEST_REFUSED = Kind(
    "request-refused", 400, "Request refused", "Correct the request as the detail says."
)
KINDS = (
    NOT_FOUND,
    UNKNOWN_ZONE,
    METHOD_NOT_ALLOWED,
    INVALID_PARAMETER,
    NOT_ACCEPTABLE,
    UNAUTHORIZED,
    FORBIDDEN,
    TOO_SLOW,
    BODY_TOO_LARGE,
    URL_TOO_LONG,
    UNSUPPORTED_MEDIA_TYPE,
    TOO_MANY_REQUESTS,
    HEAD_TOO_LARGE,
    INTERNAL_ERROR,
    NO_PUBLICATION,
    KEYS_UNREADABLE,
    UNKNOWN_SOURCE,
    UNKNOWN_WEBHOOK,
    FILE_REFUSED,
    WORKER_UNAVAILABLE,
    TOO_MANY_CONNECTIONS,
    NOT_YET_PUBLISHED,
    UNKNOWN_DAY,
    STORED_UNREADABLE,
    REQUEST_REFUSED,
)


class ProblemError(Exception):
    """Raised in a route; becomes the reply.

    ``errors`` lists each fault: parameter, value, message, and what was expected; ``more`` holds
    further fields of the reply (RFC 9457 § 3.2).
    """

    def __init__(
        self,
        kind: Kind,
        detail: str,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.errors, self.headers = kind, detail, errors, headers
        self.more = more or {}


def fault(parameter: str, value: Any, message: str, expected: Any = None) -> dict[str, Any]:
    """One entry of ``errors``; long texts are cut, so that no answer grows with its request."""
    short = value[:_REPEATED] if isinstance(value, str) else value
    return {
        "parameter": parameter[:_REPEATED],
        "value": short,
        "message": message,
        "expected": expected,
    }


def unknown_zones(zone_ids: Sequence[str], known: Sequence[str]) -> ProblemError:
    """The problem of asking for zones that are not of this territory."""
    more = "" if len(known) <= MAX_LISTED else f" (the first {MAX_LISTED} of {len(known)} are here)"
    named = ", ".join(repr(zone_id[:64]) for zone_id in zone_ids[:5])
    return ProblemError(
        UNKNOWN_ZONE,
        f"There is no zone {named} in this territory. "
        f"Use one of the zone_ids in errors[0].expected{more}; /v1/zones lists them with names.",
        [
            fault("zone_id", zone_id, "unknown zone", list(known[:MAX_LISTED]))
            for zone_id in zone_ids[:1]
        ]
        + [fault("zone_id", zone_id, "unknown zone") for zone_id in zone_ids[1:MAX_LISTED]],
    )
