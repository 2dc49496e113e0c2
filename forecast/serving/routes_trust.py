"""Routes that let people judge and reuse: why, history, changes, scoreboard, sources, model.

All are files of the publication; most are left on disk until they are asked for.
"""

from __future__ import annotations

import asyncio
import json
from datetime import date
from typing import Any, Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from forecast.serving import changes, export_atom, export_csv
from forecast.serving.answers import made_answer
from forecast.serving.asking import edition_at, from_disk, known
from forecast.serving.deps import (
    AsOf,
    Changes,
    History,
    HistoryFilters,
    Nothing,
    ServiceDep,
    TargetDate,
    ZoneId,
    published,
)
from forecast.serving.formats import made, negotiated
from forecast.serving.listing import Selection, to_json, write_lines
from forecast.serving.problems import UNKNOWN_DAY, ProblemError, fault
from forecast.serving.routes_forecasts import (
    NOT_THERE,
    PROBLEM,
    UNCHANGED,
    as_file,
    offering,
)
from forecast.serving.schemas_past import HistoryAnswer, ScoreboardAnswer
from forecast.serving.schemas_trust import (
    ChangesAnswer,
    ExplanationAnswer,
    ModelAnswer,
    SourcesAnswer,
)
from forecast.serving.service import Served, Service

HISTORY = ("json", "csv")
CHANGES = ("json", "atom")

router = APIRouter(prefix="/v1")


@router.get(
    "/zones/{zone_id:path}/forecasts/{target_date}/explanation",
    response_model=ExplanationAnswer,
    responses={
        **UNCHANGED,
        404: {**PROBLEM, "description": "Unknown zone or day, or nothing published at as_of"},
    },
    summary="Why, and what changed since the day before",
)
async def explanation(
    service: ServiceDep, zone_id: ZoneId, target_date: TargetDate, filters: AsOf
) -> Response:
    """What each domain contributes, and by how much since the last publication of a day before."""
    served = published(service)
    known(served, [zone_id])
    edition = await edition_at(service, served, filters.as_of)
    listing = edition.listings["forecasts.json"]
    wanted = Selection((zone_id,), target_date, target_date)
    found = listing.records(wanted)
    if not found:
        days = [row["target_date"] for row in listing.records(Selection((zone_id,)))]
        raise ProblemError(
            UNKNOWN_DAY,
            f"The publication has no forecast of {target_date}. {UNKNOWN_DAY.remedy}",
            [fault("target_date", f"{target_date}", "no forecast of that day", days)],
        )
    before = await from_disk(service.day_before, served, edition)
    earlier = before.listings["forecasts.json"].records(wanted) if before else []
    body = to_json(
        {
            "metadata": listing.about()["metadata"],
            **changes.explanation(found[0], edition, before, earlier),
        }
    )
    return made_answer(
        body,
        last_modified=edition.manifest["published_at"],
        headers=[(b"afflux-publication", edition.name.encode())],
    )


@router.get(
    "/zones/{zone_id:path}/history",
    response_model=HistoryAnswer,
    responses={**offering(*HISTORY), **NOT_THERE},
    summary="What was observed, and what had been said",
)
async def history(
    request: Request, service: ServiceDep, zone_id: ZoneId, filters: History
) -> Response:
    """The last 400 days: observed influx, and its forecasts 1, 3 and 7 days before."""
    form = negotiated(request.headers.get("accept"), HISTORY)
    return await _history(published(service), zone_id, filters, form)


@router.get(
    "/zones/{zone_id:path}/history.{extension}",
    response_class=Response,
    responses={**as_file(*HISTORY), **NOT_THERE},
    summary="What was observed, and what had been said, as a file",
)
async def history_file(
    service: ServiceDep,
    zone_id: ZoneId,
    extension: Literal["json", "csv"],
    filters: History,
) -> Response:
    """The same days as /v1/zones/{zone_id}/history."""
    return await _history(published(service), zone_id, filters, extension)


async def _history(served: Served, zone_id: str, filters: HistoryFilters, form: str) -> Response:
    known(served, [zone_id])
    stored = await from_disk(served.stored, f"/v1/zones/{zone_id}/history")
    assert stored is not None  # noqa: S101 - every known zone has one
    if form == "json" and filters.from_ is None and filters.to is None:
        return stored
    body = await asyncio.to_thread(_narrowed, bytes(stored.body), filters, form)
    return made(body, form, served.publication.manifest["published_at"], served.headers)


def _narrowed(body: bytes, filters: HistoryFilters, form: str) -> bytes:
    answer: dict[str, Any] = json.loads(body)
    first = str(filters.from_ or date.min)
    last = str(filters.to or date.max)
    rows = [row for row in answer.pop("history") if first <= row["target_date"] <= last]
    if form == "json":
        return write_lines(answer, "history", rows)[0]
    flat = export_csv.history_rows(answer["zone"], rows, answer["metadata"])
    return export_csv.to_csv(flat, export_csv.HISTORY_COLUMNS, filters.locale)


@router.get(
    "/changes",
    response_model=ChangesAnswer,
    responses={**offering(*CHANGES), **NOT_THERE},
    summary="Days whose level changed, and why",
)
async def changed(request: Request, service: ServiceDep, filters: Changes) -> Response:
    """The publication served beside the one known at ``since``; as Atom, a feed to follow."""
    form = negotiated(request.headers.get("accept"), CHANGES)
    return await _changes(service, filters, form)


@router.get(
    "/changes.{extension}",
    response_class=Response,
    responses={**as_file(*CHANGES), **NOT_THERE},
    summary="Days whose level changed, as a feed",
)
async def changed_file(
    service: ServiceDep, extension: Literal["json", "atom"], filters: Changes
) -> Response:
    """The same changes as /v1/changes."""
    return await _changes(service, filters, extension)


async def _changes(service: Service, filters: Any, form: str) -> Response:
    served = published(service)
    if filters.since is None:
        path = "/v1/changes" if form == "json" else f"/v1/changes.{form}"
        stored = await from_disk(served.stored, path)
        assert stored is not None  # noqa: S101 - every publication has both
        return stored
    before = await edition_at(service, served, filters.since)
    after = served.publication
    answer = {
        "metadata": after.listings["forecasts.json"].about()["metadata"],
        **changes.since(before, after, filters.since),
        "changes": await asyncio.to_thread(changes.level_changes, before, after),
    }
    body = to_json(answer) if form == "json" else export_atom.feed(answer)
    return made(body, form, after.manifest["published_at"], served.headers)


async def _file(service: Service, path: str) -> Response:
    answer = await from_disk(published(service).stored, path)
    assert answer is not None  # noqa: S101 - every publication has it
    return answer


@router.get(
    "/scoreboard",
    response_model=ScoreboardAnswer,
    responses=UNCHANGED,
    summary="How good the last twelve months were",
)
async def scoreboard(service: ServiceDep, _: Nothing) -> Response:
    """By zone: how often bands held, errors beside a naive rule's, alarms; each past weekend."""
    return await _file(service, "/v1/scoreboard")


@router.get(
    "/sources",
    response_model=SourcesAnswer,
    responses=UNCHANGED,
    summary="How fresh each source is",
)
async def sources(service: ServiceDep, _: Nothing) -> Response:
    """The newest day of each source, and how its providers did; lateness in missed runs."""
    return await _file(service, "/v1/sources")


@router.get(
    "/model", response_model=ModelAnswer, responses=UNCHANGED, summary="The model that answers"
)
async def model(service: ServiceDep, _: Nothing) -> Response:
    """Version, training, features, backtest figures, and what it is meant for."""
    return await _file(service, "/v1/model")


@router.get(
    "/dcat.jsonld",
    response_class=Response,
    responses={200: {"content": {"application/ld+json": {"schema": {}}}}, **UNCHANGED},
    summary="The forecasts as open data",
)
async def catalogue(service: ServiceDep, _: Nothing) -> Response:
    """A DCAT-AP description that an open-data portal can harvest."""
    return await _file(service, "/v1/dcat.jsonld")


@router.get(
    "/schemas/forecasts.json",
    response_class=Response,
    responses={200: {"content": {"application/json": {"schema": {}}}}, **UNCHANGED},
    summary="The columns of the CSV",
)
async def table_schema(service: ServiceDep, _: Nothing) -> Response:
    """The Table Schema of /v1/forecasts.csv."""
    return await _file(service, "/v1/schemas/forecasts.json")
