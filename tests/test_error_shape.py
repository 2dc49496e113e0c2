"""Every error of the API, whatever its status, has the one problem+json shape."""

import asyncio
from pathlib import Path
from urllib.parse import urldefrag

import httpx2
import pytest

from forecast.errors import PublicationError
from forecast.serving.app import create_app
from forecast.serving.problems import KINDS
from forecast.serving.schemas import ProblemDetails
from forecast.settings import Settings

FIELDS = ["type", "title", "status", "detail", "instance", "errors"]


@pytest.fixture
def app(tmp_path: Path):
    made = create_app(Settings(home=tmp_path, lake="", config=None))

    async def crash() -> None:
        raise RuntimeError("secret of /etc/afflux")

    made.add_api_route("/crash", crash, include_in_schema=False)
    return made


@pytest.fixture
def ask(app):
    """One request through the whole application, errors of the application included."""

    def send(method: str, path: str, **kwargs) -> httpx2.Response:
        async def go() -> httpx2.Response:
            transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
            async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, path, **kwargs)

        return asyncio.run(go())

    return send


def problem_of(answer: httpx2.Response, status: int, slug: str) -> dict:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    problem = answer.json()
    assert list(problem) == FIELDS
    ProblemDetails.model_validate(problem)
    assert problem["status"] == status
    assert urldefrag(problem["type"]) == ("/docs", slug)
    assert problem["detail"].endswith((".", "?"))
    return problem


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [
        ("GET", "/v1/nothing", 404, "not-found"),
        ("GET", "/v1/forecasts/", 404, "not-found"),
        ("GET", "/%F0%9F%8C%8A/..%2f", 404, "not-found"),
        ("POST", "/v1/forecasts", 405, "method-not-allowed"),
        ("DELETE", "/health/live", 405, "method-not-allowed"),
        ("OPTIONS", "/docs", 405, "method-not-allowed"),
        ("GET", "/v1/forecasts?zone=1", 422, "invalid-parameter"),
        ("GET", "/v1/zones?from=2026-07-01", 422, "invalid-parameter"),
        ("GET", "/v1/forecasts?from=1782864000", 422, "invalid-parameter"),
        ("GET", "/v1/forecasts?from=2026-02-30", 422, "invalid-parameter"),
        ("GET", "/v1/forecasts?from=2026-07-02&to=2026-07-01", 422, "invalid-parameter"),
        ("GET", "/v1/forecasts?to=2026-07-02&to=2026-07-01", 422, "invalid-parameter"),
        ("GET", "/v1/zones/x/forecasts?zone_id=x", 422, "invalid-parameter"),
        ("GET", "/health/live?verbose", 422, "invalid-parameter"),
        ("GET", "/crash", 500, "internal-error"),
        ("GET", "/v1/forecasts", 503, "no-publication"),
        ("GET", "/v1/zones/x/forecasts", 503, "no-publication"),
        ("GET", "/health/ready", 503, "no-publication"),
    ],
)
def test_every_status_has_the_same_shape(ask, method, path, status, slug):
    answer = ask(method, path)
    problem = problem_of(answer, status, slug)
    assert problem["instance"] == path.partition("?")[0].replace("..%2f", "../")
    assert ("retry-after" in answer.headers) == (status == 503)
    assert answer.headers.get("allow") == ("GET, HEAD" if status == 405 else None)
    assert bool(problem["errors"]) == (status == 422)
    assert "secret" not in answer.text


def test_an_error_names_the_parameter_its_value_and_the_cure(ask):
    problem = ask("GET", "/v1/forecasts?from=03/07/2026&zones=1").json()
    assert problem["errors"] == [
        {
            "parameter": "from",
            "value": "03/07/2026",
            "message": "expected a civil day as YYYY-MM-DD",
            "expected": None,
        },
        {
            "parameter": "zones",
            "value": "1",
            "message": "unknown parameter; remove it or correct its spelling",
            "expected": None,
        },
    ]
    assert problem["detail"].startswith("from, zones: expected a civil day as YYYY-MM-DD.")


def test_a_refused_publication_is_named_when_there_is_no_other(app, ask, tmp_path):
    folder = tmp_path / "data" / "publications"
    folder.mkdir(parents=True)
    (folder / "current").write_text("20260703T060000Z-9f86d081884c\n")
    app.state.service.refresh()
    problem = problem_of(ask("GET", "/v1/forecasts"), 503, "no-publication")
    assert "manifest.json: cannot be read" in problem["detail"]


def test_every_kind_of_problem_is_documented(ask):
    page = ask("GET", "/docs").text
    written = Path(__file__).parents[1].joinpath("docs", "api.md").read_text(encoding="utf-8")
    for kind in KINDS:
        assert f'id="{kind.slug}"' in page
        assert f"`{kind.slug}`" in written


def test_the_reader_of_problems_is_told_by_exceptions_too(tmp_path):
    from forecast.serving.reader import read_publication

    with pytest.raises(PublicationError, match="no publication yet; publish one with `afflux pub"):
        read_publication(tmp_path)
