"""What turns exceptions of the application into problems."""

from __future__ import annotations

import math
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import compile_path

from forecast.serving.problems import (
    BODY_TOO_LARGE,
    INTERNAL_ERROR,
    INVALID_PARAMETER,
    MAX_LISTED,
    METHOD_NOT_ALLOWED,
    NOT_ACCEPTABLE,
    NOT_FOUND,
    REQUEST_REFUSED,
    TOO_SLOW,
    UNSUPPORTED_MEDIA_TYPE,
    ProblemError,
    fault,
)
from forecast.serving.replies import problem_response


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)  # noqa: S101 - registered for this type only
    return problem_response(request, error)


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    if _is_no_json(request, error):
        sent = request.headers.get("content-type", "")[:80] or "nothing"
        text = f"The body was sent as {sent}, not as application/json."
        text = f"{text} {UNSUPPORTED_MEDIA_TYPE.remedy}"
        return problem_response(request, ProblemError(UNSUPPORTED_MEDIA_TYPE, text))
    faults = []
    for found in error.errors()[:MAX_LISTED]:
        place = [str(part) for part in found["loc"]]
        # A fault in a body is named by its path: weather.0.precipitation.
        name = ".".join(place[1:]) or place[0]
        if found["type"] == "json_invalid":  # The place is then that of a character.
            name = place[0]
        message = found["msg"].removeprefix("Value error, ")
        if found["type"] == "extra_forbidden":
            message = "unknown parameter; remove it or correct its spelling"
        value = found["input"] if place[0] != "body" else _repeated(found["input"])
        faults.append(fault(name, value, message))
    named = ", ".join(list(dict.fromkeys(entry["parameter"] for entry in faults))[:10])
    detail = f"{named}: {faults[0]['message']}. {INVALID_PARAMETER.remedy}"
    return problem_response(request, ProblemError(INVALID_PARAMETER, detail, faults))


def _is_no_json(request: Request, error: RequestValidationError) -> bool:
    """Whether the body could not be read as an object because it is not said to be JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    said_json = kind == "application/json" or kind.endswith("+json")
    return not said_json and any(
        found["loc"] == ("body",) and isinstance(found["input"], bytes) for found in error.errors()
    )


def _repeated(value: Any) -> Any:
    """A value of a body as an error repeats it: not whole objects, nor what JSON cannot say."""
    if isinstance(value, str):
        return value[:200]
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value if isinstance(value, int | None) else None


_BY_STATUS = {
    406: NOT_ACCEPTABLE,
    408: TOO_SLOW,
    413: BODY_TOO_LARGE,
    415: UNSUPPORTED_MEDIA_TYPE,
}


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    path, method = request.scope["path"], request.scope["method"]
    if error.status_code == 404:
        problem = ProblemError(NOT_FOUND, f"There is nothing at {path}. {NOT_FOUND.remedy}")
    elif error.status_code == 405:
        allowed = ", ".join(_methods(request))
        problem = ProblemError(
            METHOD_NOT_ALLOWED,
            f"{path} does not take {method}; it takes {allowed}.",
            headers={"allow": allowed},
        )
    elif error.status_code == 400:
        problem = ProblemError(
            REQUEST_REFUSED, "The body did not come whole, or is no JSON in UTF-8. Send it again."
        )
    else:
        kind = _BY_STATUS.get(error.status_code, REQUEST_REFUSED)
        text = str(error.detail)
        detail = text if text.endswith((".", "?")) else f"{text}. {kind.remedy}"
        problem = ProblemError(kind, detail, headers=error.headers)
    return problem_response(request, problem, error.status_code)


def _methods(request: Request) -> list[str]:
    """What may be asked of a path, over all its routes."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    found: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        if route.path is not None and compile_path(route.path)[0].match(path):
            found |= route.methods or set()
    return sorted(found | {"HEAD"} if "GET" in found else found)


async def _on_crash(request: Request, error: Exception) -> Response:
    # Nothing of the exception goes out: it may hold paths of the server. The log has it.
    return problem_response(request, ProblemError(INTERNAL_ERROR, INTERNAL_ERROR.remedy))


def handle_problems(app: FastAPI) -> None:
    """Make every error of ``app`` a problem+json reply."""
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_crash)
