"""The pages, for people: files of the publication, at the addresses that are left."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from forecast.serving.asking import from_disk
from forecast.serving.deps import ServiceDep, published
from forecast.serving.headers import page_headers
from forecast.serving.problems import NOT_FOUND, RETRY_AFTER_SECONDS, ProblemError

router = APIRouter(include_in_schema=False)

_HTML = "text/html"
_ABSENT = """<!doctype html>
<html lang="fr">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title></head>
<body><main><h1>{title}</h1><p>{text}</p><p lang="en">{english}</p>
<p><a href="{home}">Le week-end</a></p></main></body>
</html>
"""
_NONE_YET = (
    503,
    "Pas encore de prévision",
    "Aucune prévision n’a encore été publiée. Revenez dans quelques minutes.",
    "No forecast has been published yet. Come back in a few minutes.",
)
_NO_PAGE = (
    404,
    "Page inconnue",
    "Il n’y a pas de page à cette adresse.",
    "There is no page at this address.",
)
_HEADERS = {name.decode(): value.decode() for name, value in page_headers()} | {
    "cache-control": "no-store"
}


_VIEWS = ("bilan", "sources", "essayer", "envoyer", "bulletin", "accessibilite", "mentions")
_PATHS = ("/", *(f"/{view}" for view in _VIEWS), "/zones/{zone_id:path}", "/bilan/{start}")


async def page(request: Request, service: ServiceDep) -> Response:
    """A page of the publication; in HTML even where there is none, for those who read HTML."""
    served, root_path = service.served, request.scope["root_path"]
    path = request.scope["path"].removeprefix(root_path)
    if served is not None:
        answer: Response | None = await from_disk(served.stored, path)
        if answer is not None:
            return answer
    if _HTML not in request.headers.get("accept", ""):
        if served is None:
            published(service)
        raise ProblemError(NOT_FOUND, f"There is nothing at {path}. {NOT_FOUND.remedy}")
    status, title, text, english = _NONE_YET if served is None else _NO_PAGE
    html = _ABSENT.format(title=title, text=text, english=english, home=f"{root_path}/")
    again = {"retry-after": str(RETRY_AFTER_SECONDS)} if served is None else {}
    return Response(html, status, _HEADERS | again, f"{_HTML}; charset=utf-8")


for _path in _PATHS:
    for _language in ("", "/en"):
        router.add_api_route(f"{_language}{_path}", page)
