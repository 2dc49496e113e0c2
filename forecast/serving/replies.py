"""Problems become replies (RFC 9457), in English or in French by Accept-Language."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from forecast.serving import problems_fr
from forecast.serving.headers import DATA_HEADERS
from forecast.serving.negotiation import preferred_language
from forecast.serving.problems import MEDIA_TYPE, Kind, ProblemError


def said(
    kind: Kind,
    detail: str | None = None,
    errors: Sequence[Mapping[str, Any]] = (),
    *,
    instance: str,
    root_path: str = "",
    status: int | None = None,
    language: str = "en",
) -> dict[str, Any]:
    """The six fields of a problem, in English or, with ``language`` "fr", in French."""
    title, text, faults = kind.title, detail or f"{kind.title}. {kind.remedy}", list(errors)
    if language == "fr":
        title = problems_fr.title(kind.slug) or title
        text = problems_fr.detail(kind.slug, detail)
        faults = [{**e, "message": problems_fr.message(e["message"])} for e in errors]
    return {
        "type": f"{root_path}/docs#{kind.slug}",
        "title": title,
        "status": status or kind.status,
        "detail": text,
        "instance": instance,
        "errors": faults,
    }


def problem_response(
    request: Request, problem: ProblemError, status: int | None = None
) -> Response:
    """The reply to a problem, in the language that the request prefers."""
    scope = request.scope
    language = preferred_language(request.headers.get("accept-language", ""))
    body = said(
        problem.kind,
        problem.detail,
        problem.errors,
        instance=quote(scope["path"]),
        root_path=scope.get("root_path", ""),
        status=status,
        language=language,
    )
    return Response(
        # A body may hold halves of characters, which no answer can repeat.
        json.dumps({**body, **problem.more}, ensure_ascii=False, default=str).encode(
            errors="replace"
        ),
        status_code=body["status"],
        media_type=MEDIA_TYPE,
        headers={
            "cache-control": "no-store",
            "content-language": language,
            "vary": "Accept-Language",
            **{name.decode(): value.decode() for name, value in DATA_HEADERS},
            **(problem.headers or {}),
        },
    )
