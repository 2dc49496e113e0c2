"""The serving process: ``uvicorn --factory forecast.serving.app:create_app``.

What is polled all day (the unfiltered answers) is sent from memory before FastAPI routes anything;
the rest goes through the routes, which return the same :class:`~forecast.serving.answers.Answer`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

import forecast
from forecast.serving import routes
from forecast.serving.answers import made_answer
from forecast.serving.problems import MEDIA_TYPE, handle_problems
from forecast.serving.service import Service
from forecast.settings import Settings

_DESCRIPTION = (
    "Visitor influx by zone and civil day, days 0 to 14, with quantiles and levels. "
    "Every answer names the origin of the forecast, the model, the observations it read and the "
    "freshness of each source. HEAD works wherever GET does. Answers carry a strong ETag: send it "
    "back in If-None-Match and an unchanged forecast costs a 304."
)


class _App(FastAPI):
    """FastAPI with a short cut for stored answers, and HEAD wherever there is GET."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            served = self.state.service.served
            if served is not None and not scope["query_string"]:
                answer = served.answers.get(path)
                if answer is not None and scope["method"] in ("GET", "HEAD"):
                    await answer(scope, receive, send)
                    return
            if scope["method"] == "HEAD":
                # The server leaves the body out: it goes by its own copy of the method.
                scope = {**scope, "method": "GET"}
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
                for operation in operations.values():
                    for status, response in operation["responses"].items():
                        if status >= "400":
                            shape = response["content"].pop("application/json")
                            response["content"][MEDIA_TYPE] = shape
            self.openapi_schema = document
        return self.openapi_schema


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    service.refresh()
    watcher = asyncio.create_task(service.watch())
    yield
    watcher.cancel()
    with suppress(asyncio.CancelledError):
        await watcher


async def _openapi(request: Request) -> Response:
    document = dict(request.app.openapi())
    if request.scope.get("root_path"):
        document["servers"] = [{"url": request.scope["root_path"]}]
    return made_answer(json.dumps(document, ensure_ascii=False).encode())


async def _docs(request: Request) -> Response:
    from forecast.serving.docs_page import content_security_policy, docs_page

    page = docs_page(request.app.openapi(), request.scope.get("root_path", ""))
    return made_answer(
        page.encode(),
        media_type="text/html; charset=utf-8",
        headers=[(b"content-security-policy", content_security_policy().encode())],
    )


async def _home(request: Request) -> Response:
    return RedirectResponse(f"{request.scope.get('root_path', '')}/docs")


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application that serves the publications of ``settings`` (default: the environment's).

    It starts without a publication (503 with Retry-After) and takes up each new one by itself.
    """
    settings = settings or Settings.from_environment()
    app = _App(
        title="Afflux",
        version=forecast.__version__,
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
    )
    app.state.service = Service(settings.publications)
    handle_problems(app)
    app.include_router(routes.v1)
    app.include_router(routes.health)
    for path, page in (("/", _home), ("/docs", _docs), ("/openapi.json", _openapi)):
        app.add_api_route(path, page, include_in_schema=False)
    return app
