"""Routes that compute or take in: what-ifs and uploads. Processes beside the server do the work."""

from __future__ import annotations

import json
import logging
import re
import tempfile
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi import Path as PathParameter
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from forecast.errors import WorkerError
from forecast.serving.action_schemas import (
    SOURCES,
    FileProblem,
    ScenarioAnswer,
    ScenarioRequest,
    Uploaded,
    UploadParameters,
)
from forecast.serving.deps import Nothing, ServiceDep, given_once, published
from forecast.serving.keys import require
from forecast.serving.negotiation import preferred_language
from forecast.serving.problems import (
    FILE_REFUSED,
    INVALID_PARAMETER,
    MAX_LISTED,
    REQUEST_REFUSED,
    RETRY_AFTER_SECONDS,
    UNKNOWN_SOURCE,
    UNSUPPORTED_MEDIA_TYPE,
    WORKER_UNAVAILABLE,
    ProblemError,
    fault,
)
from forecast.serving.report_fr import in_french
from forecast.serving.schemas import ProblemDetails
from forecast.serving.service import Served
from forecast.serving.worker import Worker

_log = logging.getLogger("uvicorn.error")
_NO_STORE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_PROBLEM: dict[str, Any] = {"model": ProblemDetails}

router = APIRouter(
    prefix="/v1",
    tags=["actions"],
    dependencies=[Depends(given_once)],
    responses={
        401: {**_PROBLEM, "description": "No valid key"},
        403: {**_PROBLEM, "description": "The key lacks the scope"},
        413: {**_PROBLEM, "description": "The body is too large"},
        429: {**_PROBLEM, "description": "Too many requests; see Retry-After"},
        503: {**_PROBLEM, "description": "Not available just now; see Retry-After"},
    },
)


@router.post(
    "/scenarios",
    response_model=ScenarioAnswer,
    responses={422: {**_PROBLEM, "description": "What is supposed cannot be; see errors"}},
    summary="What if the weather were another, or there were an event?",
)
async def scenarios(
    request: Request,
    service: ServiceDep,
    _: Nothing,
    key_id: Annotated[str, Depends(require("scenarios"))],
    wanted: ScenarioRequest,
) -> Response:
    """The forecast that is served beside what it would be; nothing is stored."""
    served = published(service)
    question = _question(served, wanted)
    name = served.publication.name
    body = await _asked(request.app.state.scenarios, {**question, "publication": name}, name)
    publication = {"afflux-publication": name}
    return Response(body, media_type="application/json", headers=_NO_STORE | publication)


def _question(served: Served, wanted: ScenarioRequest) -> dict[str, Any]:
    """The request as the worker wants it, with zones and days that the publication has."""
    days = served.publication.listings["forecasts.json"].days
    first, last = date.fromordinal(min(days)), date.fromordinal(max(days))
    zones, bounds = list(served.zone_index), f"{first} to {last}"
    asked = wanted.model_dump(mode="json", by_alias=True, exclude_none=True)
    places = [(f"zone_id.{i}", zone) for i, zone in enumerate(wanted.zone_id or [])]
    faults = []
    places += [
        (f"weather.{i}.zone_id", e.zone_id) for i, e in enumerate(wanted.weather) if e.zone_id
    ]
    places += [(f"events.{i}.zone_id", e.zone_id) for i, e in enumerate(wanted.events)]
    for name, zone in places:
        if zone not in served.zone_index:
            faults.append(fault(name, zone, "unknown zone", zones[:MAX_LISTED]))
    named = [("from", wanted.from_), ("to", wanted.to)]
    named += [(f"weather.{i}.target_date", e.target_date) for i, e in enumerate(wanted.weather)]
    for name, day in named:
        if day is not None and not first <= day <= last:
            faults.append(fault(name, str(day), "is not a day of this publication", bounds))
    for i, event in enumerate(wanted.events):
        if event.date > last or (event.end_date or event.date) < first:
            message = "no day of it is one of this publication"
            faults.append(fault(f"events.{i}.date", str(event.date), message, bounds))
        # Of a fair that lasts a year, only these days matter.
        asked["events"][i]["date"] = str(max(event.date, first))
        asked["events"][i]["end_date"] = str(min(event.end_date or event.date, last))
    if faults:
        names = ", ".join(dict.fromkeys(entry["parameter"] for entry in faults[:10]))
        detail = f"{names}: {faults[0]['message']}. {INVALID_PARAMETER.remedy}"
        raise ProblemError(INVALID_PARAMETER, detail, faults[:MAX_LISTED])
    return {"zone_id": zones, "from": str(first), "to": str(last), **asked}


@router.post(
    "/sources/{source}/files",
    response_model=Uploaded,
    responses={
        400: {**_PROBLEM, "description": "The file did not come whole"},
        404: {**_PROBLEM, "description": "Unknown source; valid names in errors"},
        415: {**_PROBLEM, "description": "A form, not the file by itself"},
        422: {"model": FileProblem, "description": "The file has errors, listed in report"},
    },
    summary="Send a file of a source",
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "The file as it is, CSV as in docs/input-contract.md",
            "content": {"text/csv": {"schema": {"type": "string"}}},
        }
    },
)
async def upload(
    request: Request,
    source: Annotated[str, PathParameter(description="Which source", examples=["waste"])],
    parameters: Annotated[UploadParameters, Query()],
    key_id: Annotated[str, Depends(require("uploads"))],
) -> Response:
    """Checked as `afflux check` does and stored as `afflux ingest` does, all rows or none."""
    if source not in SOURCES:
        raise ProblemError(
            UNKNOWN_SOURCE,
            f"There is no source {source[:64]!r} to send files of. {UNKNOWN_SOURCE.remedy}",
            [fault("source", source[:64], "unknown source", list(SOURCES))],
        )
    if request.headers.get("content-type", "").startswith("multipart/"):
        raise ProblemError(
            UNSUPPORTED_MEDIA_TYPE,
            "A form was sent, not the file by itself. Send its bytes as the body: "
            "`curl --data-binary @file.csv -H 'Content-Type: text/csv'`.",
        )
    clock: Callable[[], datetime] = request.app.state.clock
    now = clock().isoformat(timespec="seconds")
    try:
        with tempfile.TemporaryDirectory(prefix="afflux-upload-") as scratch:
            # The folder's name is kept in the lake's history: who sent it. The file's is ours.
            folder = Path(scratch, "upload-" + re.sub(r"[^A-Za-z0-9_.-]", "-", key_id))
            folder.mkdir()
            with (folder / f"{source}.csv").open("wb") as file:
                async for chunk in request.stream():
                    file.write(chunk)
            question = {"folder": str(folder), "dry_run": parameters.dry_run, "now": now}
            found = json.loads(await _asked(request.app.state.uploads, question, "uploads"))
    except ClientDisconnect as error:
        raise ProblemError(
            REQUEST_REFUSED, "The file did not come whole. Send it again."
        ) from error
    except OSError as error:
        _log.error("uploads: %s", error)
        raise _unavailable("the file cannot be taken in; the server's log says why", 30) from error
    language = preferred_language(request.headers.get("accept-language", ""))
    if language == "fr":
        found["report"] = in_french(found["report"])
    answer = {
        "source": source,
        "filename": parameters.filename,
        "dry_run": parameters.dry_run,
        "received_at": now,
        **found,
    }
    if not found["report"]["ok"]:
        raise _refused(source, answer)
    return Response(
        json.dumps(answer),
        media_type="application/json",
        headers=_NO_STORE | {"content-language": language, "vary": "Accept-Language"},
    )


def _refused(source: str, answer: Mapping[str, Any]) -> ProblemError:
    errors = answer["report"]["errors"]
    return ProblemError(
        FILE_REFUSED,
        f"{answer['filename'] or source} has {errors} error{'' if errors == 1 else 's'}. "
        f"{FILE_REFUSED.remedy}",
        more={"report": answer["report"]},
    )


async def _asked(worker: Worker, question: Mapping[str, Any], about: str) -> bytes:
    """What a worker answers; raises the 503 that says why it does not."""
    try:
        status, body = await worker.ask(question, about)
    except WorkerError as error:
        raise _unavailable(str(error), seconds=5) from error
    if status != "ok":
        # The reason may name paths of this machine: it is for whoever runs it.
        _log.error("%s: %s", about, json.loads(body)["detail"])
        raise _unavailable(
            "what this needs cannot be read; the server's log says why", seconds=RETRY_AFTER_SECONDS
        )
    return body


def _unavailable(why: str, seconds: int) -> ProblemError:
    return ProblemError(
        WORKER_UNAVAILABLE,
        f"{why[:1].upper()}{why[1:]}. {WORKER_UNAVAILABLE.remedy}",
        headers={"retry-after": str(seconds)},
    )
