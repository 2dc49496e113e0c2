"""Errors of the API: one problem+json shape (RFC 9457) for every status, saying what to do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 30
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
    "method-not-allowed", 405, "Method not allowed", "Forecasts are read with GET or HEAD."
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
REQUEST_REFUSED = Kind(
    "request-refused", 400, "Request refused", "Correct the request as the detail says."
)
KINDS = (
    NOT_FOUND,
    UNKNOWN_ZONE,
    METHOD_NOT_ALLOWED,
    INVALID_PARAMETER,
    INTERNAL_ERROR,
    NO_PUBLICATION,
    REQUEST_REFUSED,
)


class ProblemError(Exception):
    """Raised in a route; becomes the reply.

    ``errors`` lists each fault: parameter, value, message, and what was expected.
    """

    def __init__(
        self,
        kind: Kind,
        detail: str,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.errors, self.headers = kind, detail, errors, headers


def fault(parameter: str, value: Any, message: str, expected: Any = None) -> dict[str, Any]:
    """One entry of ``errors``."""
    return {"parameter": parameter, "value": value, "message": message, "expected": expected}


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


def problem_response(
    request: Request, problem: ProblemError, status: int | None = None
) -> Response:
    """The reply to a problem."""
    scope = request.scope
    kind = problem.kind
    code = status or kind.status
    body = {
        "type": f"{scope.get('root_path', '')}/docs#{kind.slug}",
        "title": kind.title,
        "status": code,
        "detail": problem.detail,
        "instance": quote(scope["path"]),
        "errors": list(problem.errors),
    }
    return Response(
        json.dumps(body, ensure_ascii=False, default=str).encode(),
        status_code=code,
        media_type=MEDIA_TYPE,
        headers={
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
            **(problem.headers or {}),
        },
    )


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)  # noqa: S101 - registered for this type only
    return problem_response(request, error)


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    faults = []
    for found in error.errors():
        name = str(found["loc"][1]) if len(found["loc"]) > 1 else str(found["loc"][0])
        message = found["msg"].removeprefix("Value error, ")
        if found["type"] == "extra_forbidden":
            message = "unknown parameter; remove it or correct its spelling"
        faults.append(fault(name, found["input"], message))
    named = ", ".join(dict.fromkeys(entry["parameter"] for entry in faults))
    detail = f"{named}: {faults[0]['message']}. {INVALID_PARAMETER.remedy}"
    return problem_response(request, ProblemError(INVALID_PARAMETER, detail, faults))


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    path, method = request.scope["path"], request.scope["method"]
    if error.status_code == 404:
        problem = ProblemError(NOT_FOUND, f"There is nothing at {path}. {NOT_FOUND.remedy}")
    elif error.status_code == 405:
        problem = ProblemError(
            METHOD_NOT_ALLOWED,
            f"{path} does not take {method}. {METHOD_NOT_ALLOWED.remedy}",
            headers={"allow": "GET, HEAD"},
        )
    else:
        problem = ProblemError(REQUEST_REFUSED, str(error.detail), headers=error.headers)
    return problem_response(request, problem, error.status_code)


async def _on_crash(request: Request, error: Exception) -> Response:
    # Nothing of the exception goes out: it may hold paths of the server. The log has it.
    return problem_response(request, ProblemError(INTERNAL_ERROR, INTERNAL_ERROR.remedy))


def handle_problems(app: FastAPI) -> None:
    """Make every error of ``app`` a problem+json reply."""
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_crash)
