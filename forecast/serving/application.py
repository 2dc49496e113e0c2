"""The FastAPI application: everything that is not a stored answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

import forecast
from forecast.serving import actions, routes, routes_pages, webhooks
from forecast.serving.answers import made_answer
from forecast.serving.deps import no_parameters
from forecast.serving.front import Front
from forecast.serving.handlers import handle_problems
from forecast.serving.metrics import metrics
from forecast.serving.parts import Parts
from forecast.serving.problems import MEDIA_TYPE
from forecast.serving.schemas import ProblemDetails

_DESCRIPTION = (
    "Visitor influx by zone and civil day, days 0 to 14, with quantiles and levels. "
    "Every answer names the origin of the forecast, the model, the observations it read and the "
    "freshness of each source. HEAD works wherever GET does. Answers carry a strong ETag: send it "
    "back in If-None-Match and an unchanged forecast costs a 304."
)


class Application(FastAPI):
    """FastAPI behind its :class:`~forecast.serving.front.Front`."""

    front: Front

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, past the front, or live and end with the process."""
        if scope["type"] == "http":
            await self.front(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def routed(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What the front passes on."""
        await super().__call__(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI 3.1 document, made when first asked for."""
        if self.openapi_schema is None:
            document = get_openapi(
                title=self.title,
                version=self.version,
                description=self.description,
                license_info=self.license_info,
                routes=self.routes,
            )
            for operations in document["paths"].values():
                for method, operation in operations.items():
                    _document_problems(method, operation["responses"])
                    if "401" in operation["responses"]:
                        operation["security"] = [{"key": []}]
            parts = document["components"]
            parts["schemas"].setdefault("ProblemDetails", ProblemDetails.model_json_schema())
            parts["securitySchemes"] = {"key": _KEY}
            self.openapi_schema = document
        return self.openapi_schema


_KEY = {
    "type": "http",
    "scheme": "bearer",
    "description": "A key of the operation's scope, made on the server with `afflux keys add`; "
    "none where the server has the scope open",
}
_EVERYWHERE = {
    "414": "URL too long",
    "429": "Too many requests; see Retry-After",
    "431": "Headers too large",
}
_WITH_BODY = {
    "400": "The body cannot be read",
    "408": "Body too slow",
    "413": "Body too large",
    "415": "The body is not what /docs names",
}


def _document_problems(method: str, responses: dict[str, Any]) -> None:
    """Say of an operation what the front may answer, and that errors are problems."""
    problem = {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}
    for status, text in (_EVERYWHERE | (_WITH_BODY if method != "get" else {})).items():
        responses.setdefault(status, {"description": text, "content": {MEDIA_TYPE: problem}})
    for status, response in responses.items():
        content = response.get("content", {})
        if status >= "400" and "application/json" in content:
            content[MEDIA_TYPE] = content.pop("application/json")


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with app.state.parts.at_work():
        yield


async def _openapi(request: Request) -> Response:
    no_parameters(request)
    document = dict(request.app.openapi())
    if request.scope.get("root_path"):
        document["servers"] = [{"url": request.scope["root_path"]}]
    return made_answer(json.dumps(document, ensure_ascii=False).encode())


async def _docs(request: Request) -> Response:
    from forecast.serving.docs_page import docs_page, docs_security

    page = docs_page(request.app.openapi(), request.scope.get("root_path", ""))
    return made_answer(
        page.encode(), media_type="text/html; charset=utf-8", security=docs_security()
    )


def application(parts: Parts) -> Application:
    """The application with these parts, its front before it."""
    app = Application(
        title="Afflux",
        version=forecast.__version__,
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
    )
    for name, part in vars(parts).items():
        setattr(app.state, name, part)
    app.state.parts = parts
    app.front = parts.front(app.routed)
    handle_problems(app)
    app.include_router(routes.v1)
    app.include_router(routes.health)
    app.include_router(metrics)
    app.include_router(actions.router)
    app.include_router(webhooks.router)
    for path, page in (("/docs", _docs), ("/openapi.json", _openapi)):
        app.add_api_route(path, page, include_in_schema=False)
    app.include_router(routes_pages.router)
    return app
