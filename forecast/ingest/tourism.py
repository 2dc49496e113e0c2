"""Events of DATAtourisme exports: JSON-LD objects in a zip archive, or the flat CSV of data.gouv.

The shapes are from memory [M]: what does not look as expected is refused element by element with
its path, and never guessed. Objects other than events are passed over.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import pandas as pd

from forecast.errors import ProviderError
from forecast.ingest.cells import Typed
from forecast.ingest.contract import SourceTable
from forecast.ingest.documents import Document
from forecast.ingest.happenings import Happening
from forecast.tables import Column, TableSchema

EVENT_TYPES = ("EntertainmentAndEvent", "schema:Event", "Event")
"""Types of which an object must have one to be an event [M]."""
_PERIOD = re.compile(r"(\d{4}-\d{2}-\d{2})(?:<->(\d{4}-\d{2}-\d{2}))?")
_COMMUNE = re.compile(r"\d[0-9AB]\d{3}")

FLAT = SourceTable(
    TableSchema(
        "datatourisme",
        "an event of the catalogue",
        (
            Column("Nom_du_POI", "text", "", "name of the event"),
            Column("Categories_de_POI", "text", "", "types, as addresses", required=False),
            Column("Latitude", "number", "°", "degrees north", -90, 90, required=False),
            Column("Longitude", "number", "°", "degrees east", -180, 180, required=False),
            Column("Periodes_regroupees", "text", "", "days, as 2026-07-14<->2026-07-16"),
            Column("Date_de_mise_a_jour", "date", "", "day of the last change", required=False),
        ),
        ("Nom_du_POI",),
    ),
    variables=("Periodes_regroupees",),
    needs=("Periodes_regroupees",),
)
"""Columns of the flat CSV [M]."""


class _UnexpectedError(ValueError):
    """An element that is not as expected; the message says where and what."""


def is_objects(document: Document) -> bool:
    """Whether a document is JSON; the index of an archive is passed over elsewhere."""
    return document.data.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] in (b"{", b"[")


def read_objects(document: Document, refused: list[str], others: Counter[str]) -> list[Happening]:
    """The events of a JSON-LD document: one object, a list of them, or ``@graph``.

    Each event that cannot be read adds a sentence to ``refused``, each object that is none its
    first type to ``others``.

    Raises
    ------
    ProviderError
        If the document is not JSON.
    """
    try:
        content = json.loads(document.data)
    except (ValueError, RecursionError) as error:
        raise ProviderError(
            f"{document.name} is not JSON ({str(error)[:80]}); fetch the export again"
        ) from error
    if isinstance(content, Mapping) and "@graph" in content:
        content = content["@graph"]
    things = content if isinstance(content, list) else [content]
    found: list[Happening] = []
    for number, thing in enumerate(things):
        where = f"{document.name}, object {number + 1}" if len(things) > 1 else document.name
        types = _texts(thing.get("@type")) if isinstance(thing, Mapping) else []
        if not isinstance(thing, Mapping) or not set(EVENT_TYPES) & set(types):
            others[types[0][:40] if types else "no @type"] += 1
            continue
        try:
            found += _object(thing, where)
        except _UnexpectedError as error:
            refused.append(f"{where}: {error}; the event is left out")
    return found


def _object(thing: Mapping[str, Any], where: str) -> Iterator[Happening]:
    label = thing.get("rdfs:label", thing.get("label"))
    if isinstance(label, Mapping):
        label = label.get("fr") or next(iter(label.values()), None)
    names = _texts(label)
    if not names:
        raise _UnexpectedError("rdfs:label holds no text, expected the name of the event")
    periods = _list(thing.get("takesPlaceAt"))
    if not periods:
        raise _UnexpectedError("takesPlaceAt is absent, expected the days of the event")
    code, latitude, longitude = _place(thing)
    for period in periods:
        if not isinstance(period, Mapping):
            raise _UnexpectedError("takesPlaceAt holds no object with startDate and endDate")
        first = _date(period.get("startDate"), "takesPlaceAt.startDate")
        last = period.get("endDate")
        yield Happening(
            name=names[0],
            first=first,
            last=_date(last, "takesPlaceAt.endDate") if last else first,
            where=where,
            code=code,
            latitude=latitude,
            longitude=longitude,
            categories=tuple(_texts(thing.get("@type"))),
            known_at=_entered(thing),
        )


def _place(thing: Mapping[str, Any]) -> tuple[str, float | None, float | None]:
    """Commune and point of the first place of an object; empty where it has none."""
    for place in _list(thing.get("isLocatedAt")):
        if not isinstance(place, Mapping):
            continue
        geo = next((g for g in _list(place.get("schema:geo")) if isinstance(g, Mapping)), {})
        codes = [
            str(city.get("insee", ""))
            for address in _list(place.get("schema:address"))
            if isinstance(address, Mapping)
            for city in _list(address.get("hasAddressCity"))
            if isinstance(city, Mapping)
        ]
        code = next((c for c in codes if _COMMUNE.fullmatch(c)), "")
        latitude = _degrees(geo.get("schema:latitude"), 90, "schema:latitude")
        longitude = _degrees(geo.get("schema:longitude"), 180, "schema:longitude")
        return code, latitude, longitude
    return "", None, None


def _degrees(value: Any, most: float, name: str) -> float | None:
    for text in _list(value):
        inner = text.get("@value") if isinstance(text, Mapping) else text
        try:
            number = float(str(inner))
        except ValueError:
            number = float("nan")
        if not abs(number) <= most:
            raise _UnexpectedError(f"{name} is {str(inner)[:40]!r}, expected degrees")
        return number
    return None


def _date(value: Any, name: str) -> date:
    inner = value.get("@value") if isinstance(value, Mapping) else value
    try:
        day = date.fromisoformat(str(inner)[:10])
    except ValueError:
        day = date.min
    if not 1950 <= day.year <= 2100:
        raise _UnexpectedError(f"{name} is {str(inner)[:40]!r}, expected a day like 2026-07-14")
    return day


def _entered(thing: Mapping[str, Any]) -> pd.Timestamp | None:
    """The end of the day on which the object was entered; None where it does not say."""
    for value in _list(thing.get("creationDate")):
        try:
            return pd.Timestamp(_date(value, "creationDate"), tz="UTC") + pd.Timedelta(days=1)
        except _UnexpectedError:
            return None
    return None


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _texts(value: Any) -> list[str]:
    """Texts of a value that may be one text, a typed one, or a list of either."""
    inner = [v.get("@value") if isinstance(v, Mapping) else v for v in _list(value)]
    return [text for text in inner if isinstance(text, str) and text.strip()]


def flat_events(typed: Typed, refused: list[str]) -> list[Happening]:
    """The events of the flat CSV; ``Periodes_regroupees`` lists periods separated by ``|``."""
    found: list[Happening] = []
    columns = (
        typed.text("Nom_du_POI"),
        typed.text("Categories_de_POI"),
        typed.numbers("Latitude"),
        typed.numbers("Longitude"),
        typed.text("Periodes_regroupees"),
        typed.line,
        typed.bad,
    )
    for name, kinds, latitude, longitude, periods, line, bad in zip(*columns, strict=True):
        if bad:
            continue
        where = f"{typed.file}, line {line}"
        point = abs(latitude) <= 90 and abs(longitude) <= 180
        for period in periods.split("|"):
            match = _PERIOD.fullmatch(period.strip())
            try:
                if not match:
                    raise _UnexpectedError(
                        f"column Periodes_regroupees: {period[:40]!r}, expected days like "
                        "2026-07-14<->2026-07-16"
                    )
                first = _date(match[1], "Periodes_regroupees")
                last = _date(match[2] or match[1], "Periodes_regroupees")
            except _UnexpectedError as error:
                refused.append(f"{where}: {error}; the period is left out")
                continue
            found.append(
                Happening(
                    name=name,
                    first=first,
                    last=last,
                    where=where,
                    latitude=float(latitude) if point else None,
                    longitude=float(longitude) if point else None,
                    categories=tuple(re.split(r"[#|/]", kinds)),
                )
            )
    return found
