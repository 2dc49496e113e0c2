"""The pages, for people: files of the publication, at the addresses that are left."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request
from starlette.responses import Response

from forecast.serving.asking import from_disk
from forecast.serving.deps import ServiceDep, published
from forecast.serving.headers import page_headers, style_hash
from forecast.serving.problems import NOT_FOUND, RETRY_AFTER_SECONDS, ProblemError

router = APIRouter(include_in_schema=False)

_HTML = "text/html"
_ABSENT = """<!doctype html>
<html lang="{language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><link rel="icon" href="data:,"><style>{style}</style></head>
<body><header><p class="bar brand"><a href="{home}">{brand}</a></p></header>
<main><h1>{title}</h1><p class="lead">{text}</p><p><a href="{again}">{action}</a></p></main></body>
</html>
"""
_FRENCH = {
    503: (
        "Pas encore de prévision",
        "Aucune prévision n’a encore été publiée. Revenez dans quelques minutes.",
        "Réessayer",
    ),
    404: ("Page inconnue", "Il n’y a pas de page à cette adresse.", "Voir le week-end"),
}
_ENGLISH = {
    503: (
        "No forecast yet",
        "No forecast has been published yet. Come back in a few minutes.",
        "Try again",
    ),
    404: ("No such page", "There is no page at this address.", "See the weekend"),
}

_VIEWS = ("bilan", "sources", "essayer", "envoyer", "bulletin", "accessibilite", "mentions")
_PATHS = ("/", *(f"/{view}" for view in _VIEWS), "/zones/{zone_id:path}", "/bilan/{start}")
_STATIC = ("/sw.js", "/web/{name}")
"""What pages load; the front answers those who ask for just this type, browsers ask for more."""


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
    return _absent(503 if served is None else 404, path, root_path)


def _absent(status: int, path: str, root_path: str) -> Response:
    """What is shown where there is no page, in the language of the address."""
    english = path.startswith("/en/")
    title, text, action = (_ENGLISH if english else _FRENCH)[status]
    home = f"{root_path}/en/" if english else f"{root_path}/"
    html = _ABSENT.format(
        language="en" if english else "fr",
        brand="Visitor influx" if english else "Affluence de visiteurs",
        title=title,
        text=text,
        action=action,
        home=home,
        again="" if status == 503 else home,
        style=_style(),
    )
    policy = page_headers(style_src=style_hash(_style()), img_src="data:")
    headers = {name.decode(): value.decode() for name, value in policy}
    headers["cache-control"] = "no-store"
    if status == 503:
        headers["retry-after"] = str(RETRY_AFTER_SECONDS)
    return Response(html, status, headers, f"{_HTML}; charset=utf-8")


@cache
def _style() -> str:
    return files("forecast.serving").joinpath("pages", "page.css").read_text(encoding="utf-8")


for _path in _PATHS:
    for _language in ("", "/en"):
        router.add_api_route(f"{_language}{_path}", page)
for _path in _STATIC:
    router.add_api_route(_path, page)
