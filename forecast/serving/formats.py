"""In which format an answer goes out, by its extension or by Accept, and how it is made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from forecast.serving import export_calendar, export_csv, export_geo
from forecast.serving.answers import Answer, made_answer
from forecast.serving.headers import RawHeaders
from forecast.serving.listing import LEVELS, Selection, to_json
from forecast.serving.problems import NOT_ACCEPTABLE, ProblemError
from forecast.serving.reader import Publication
from forecast.serving.service import NEGOTIATED

MEDIA_TYPES = {
    "json": "application/json",
    "csv": export_csv.MEDIA_TYPE,
    "geojson": export_geo.MEDIA_TYPE,
    "parquet": "application/vnd.apache.parquet",
    "ics": export_calendar.MEDIA_TYPE,
    "atom": "application/atom+xml; charset=utf-8",
}
"""Every format by its extension."""


def bare(media_type: str) -> str:
    """A media type without its parameters."""
    return media_type.partition(";")[0]


def negotiated(accept: str | None, offered: Sequence[str]) -> str:
    """The format that an Accept header likes best, the first of ``offered`` on a tie.

    Raises
    ------
    ProblemError
        If it takes none of them.

    >>> negotiated(None, ("json", "csv")), negotiated("text/csv;q=0.9, */*;q=0.1", ("json", "csv"))
    ('json', 'csv')
    """
    ranked = _weights(accept or "*/*", tuple(offered))
    best = max(offered, key=lambda name: ranked[name])
    if ranked[best] <= 0:
        named = ", ".join(f"{bare(MEDIA_TYPES[name])} (.{name})" for name in offered)
        raise ProblemError(
            NOT_ACCEPTABLE, f"This answer is offered as {named}. {NOT_ACCEPTABLE.remedy}"
        )
    return best


@lru_cache(maxsize=128)
def _weights(accept: str, offered: tuple[str, ...]) -> dict[str, float]:
    """How much each format is liked, 0 to 1: the most specific range counts (RFC 9110 § 12.5.1)."""
    found: dict[str, tuple[int, float]] = dict.fromkeys(offered, (-1, 0.0))
    for part in accept.lower().split(","):
        media_range, *parameters = (piece.strip() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                try:
                    weight = min(max(float(value), 0.0), 1.0)
                except ValueError:
                    weight = 0.0
        for name in offered:
            kind = bare(MEDIA_TYPES[name])
            ranges = ("*/*", f"{kind.partition('/')[0]}/*", kind)
            if media_range in ranges and ranges.index(media_range) > found[name][0]:
                found[name] = (ranges.index(media_range), weight)
    return {name: weight for name, (_, weight) in found.items()}


def rendered(
    edition: Publication,
    file: str,
    wanted: Selection,
    form: str,
    *,
    locale: str,
    outlines: bytes,
    quantiles: Sequence[str],
    headers: RawHeaders,
) -> Answer:
    """The forecasts of a file that are wanted, in a format made for this request.

    ``outlines`` is the GeoJSON of the zones, read for GeoJSON alone.
    """
    listing = edition.listings[file]
    if form == "json":
        body = listing.select(wanted)
    else:
        about, records = listing.about()["metadata"], listing.records(wanted)
        if form == "csv":
            columns = [f["name"] for f in export_csv.forecast_fields(quantiles, 0)]
            rows = export_csv.forecast_rows(records, about, quantiles)
            body = export_csv.to_csv(rows, columns, locale)
        elif form == "ics":
            least = LEVELS[max(1, wanted.level or 0)]
            body = export_calendar.calendar(records, about, least)
        else:
            zones = json.loads(outlines)["features"]
            features = export_geo.with_forecasts(zones, records)
            body = to_json(export_geo.collection(features, about))
    return made(body, form, edition.manifest["published_at"], headers)


def made(body: bytes, form: str, last_modified: str, headers: RawHeaders, **more: Any) -> Answer:
    """An answer of one of several formats, made for this request."""
    return made_answer(
        body,
        media_type=MEDIA_TYPES[form],
        last_modified=last_modified,
        headers=headers,
        vary=NEGOTIATED,
        **more,
    )
