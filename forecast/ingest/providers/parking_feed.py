"""Car parks in real time by any JSON or CSV, its fields mapped by the configuration; polled.

There is no national format for parking in real time [V, schema.data.gouv.fr, August 2026]: an
operator's feed is described in ``[providers.NAME]``, field by field. A field is a path through the
JSON, its parts separated by points (``fields.disponibles``, ``geometry.coordinates.1``), or the
name of a column.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal, Self, cast
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from forecast.errors import ProviderError
from forecast.ingest.car_parks import ParkingOptions
from forecast.ingest.fields import ABSENT, at_path, csv_items, instant, number, text
from forecast.ingest.http import Client, Response
from forecast.ingest.keyed import ask
from forecast.ingest.occupancy import Poll, Reading, keep
from forecast.ingest.polling import now_piece
from forecast.ingest.provider import About, Batch, Options, Piece, Setting, Span

MAX_ITEMS = 20_000
_NUMBERS = ("free", "occupied", "percent", "capacity", "latitude", "longitude")
_SMALL = ("percent", "latitude", "longitude")
_MEANINGS = ("id", *_NUMBERS, "time", "status", "zone")


class ParkingFeedOptions(ParkingOptions):
    """Where the feed is and what its fields mean."""

    url: str = Field(pattern=r"^https?://", description="address of the feed")
    format: Literal["json", "csv"] = Field(default="json", description="json or csv")
    delimiter: str = Field(default=";", pattern=r"^[;,\t|]$", description="of a CSV")
    items: str = Field(default="", description="path of the list of car parks in the JSON")
    id: str = Field(min_length=1, description="field of the car park's identifier")
    free: str = Field(default="", description="field of the free spaces")
    occupied: str = Field(default="", description="field of the occupied spaces")
    percent: str = Field(default="", description="field of the occupancy [%]")
    capacity: str = Field(default="", description="field of the number of spaces")
    time: str = Field(default="", description="field of the time; without it, that of the poll")
    time_format: Literal["iso", "epoch", "epoch_ms"] = Field(
        default="iso", description="how times are written: ISO 8601, or seconds or ms since 1970"
    )
    time_zone: str = Field(
        default="", description="zone of times without offset, like Europe/Paris; empty: refused"
    )
    status: str = Field(default="", description="field that says whether the car park is open")
    open_status: tuple[str, ...] = Field(
        default=(), description="values of `status` under which a reading is a measure"
    )
    zone: str = Field(default="", description="field of the zone or commune (INSEE code)")
    latitude: str = Field(default="", description="field of the latitude")
    longitude: str = Field(default="", description="field of the longitude")

    @field_validator("time_zone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            return ZoneInfo(value).key if value else ""
        except (KeyError, ValueError, OSError):
            raise ValueError(f"no such time zone: {value!r}; expected Europe/Paris") from None

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if not (self.free or self.occupied or self.percent):
            raise ValueError("expected one of free, occupied and percent")
        if bool(self.status) != bool(self.open_status):
            raise ValueError("status and open_status go together")
        if bool(self.latitude) != bool(self.longitude):
            raise ValueError("latitude and longitude go together")
        return self


class ParkingFeed:
    """Occupancy of car parks from a mapped feed."""

    kind: ClassVar[str] = "parking-feed"
    options: ClassVar[type[Options]] = ParkingFeedOptions
    about: ClassVar[About] = About(
        title="Stationnement en temps réel (flux de l'exploitant)",
        sources=("parking",),
        homepage="https://schema.data.gouv.fr/etalab/schema-stationnement",
        licence="that of the operator's feed",
        attribution="",
        terms="those of the operator; no history: only what is polled is known",
        verified="that no national format exists was checked in the list of schema.data.gouv.fr "
        "of August 2026; the fields are the configuration's",
    )

    def pieces(self, options: Options, span: Span, setting: Setting) -> Iterator[Piece]:
        """See :class:`forecast.ingest.provider.Provider`."""
        yield from now_piece(span)

    def fetch(self, piece: Piece, options: Options, setting: Setting, client: Client) -> Batch:
        """See :class:`forecast.ingest.provider.Provider`."""
        given = cast(ParkingFeedOptions, options)
        answer = ask(client, given.url, given)
        poll = read_items(_found(answer, given), given, name=answer.url)
        return keep(poll, given, piece, setting, client, naive=given.time_zone)


def read_items(found: Any, options: ParkingFeedOptions, *, name: str) -> Poll:
    """What a feed says of the car parks now.

    Raises
    ------
    ProviderError
        If ``items`` leads to no list of objects, or no item has the fields that are mapped.
    """
    items = at_path(found, options.items)
    if not isinstance(items, list) or len(items) > MAX_ITEMS:
        what = "more than are read" if isinstance(items, list) else type(items).__name__
        raise ProviderError(
            f"{name}: items = {options.items!r} leads to {what}; expected a list of car parks"
        )
    fields = _fields(options)
    known = [item for item in items if isinstance(item, dict)]
    for key, path in fields.items():
        if known and all(at_path(item, path) is ABSENT for item in known):
            raise ProviderError(
                f"{name}: no car park has the field {path!r} that the configuration names as "
                f"{key}; the first one has {', '.join(map(str, known[0]))[:200]}"
            )
    readings: list[Reading] = []
    refused: list[str] = []
    silent: Counter[str] = Counter()
    for place, item in enumerate(items, start=1):
        where = f"{name}, item {place}"
        values = {key: at_path(item, path) for key, path in fields.items()}
        try:
            site = text(values["id"])
            if not site:
                raise ValueError(f"{options.id} is empty; expected the car park's identifier")
            where += f" ({site[:40]})"
            status = text(values.get("status"))
            if options.status and status not in options.open_status:
                silent[f"{options.status} = {status[:40]}"] += 1
                continue
            readings.append(_reading(values, site, where, options))
        except ValueError as error:
            refused.append(f"{where}: {error}")
    return Poll(readings, tuple(refused), silent)


def _reading(
    values: Mapping[str, Any], site: str, where: str, options: ParkingFeedOptions
) -> Reading:
    numbers = {key: number(values.get(key), getattr(options, key)) for key in _NUMBERS}
    return Reading(
        where=where,
        site_id=site,
        time=instant(values.get("time"), options.time, options.time_format),
        free=numbers["free"],
        occupied=numbers["occupied"],
        percent=numbers["percent"],
        capacity=numbers["capacity"],
        zone=text(values.get("zone")),
        latitude=numbers["latitude"],
        longitude=numbers["longitude"],
    )


def _found(answer: Response, options: ParkingFeedOptions) -> Any:
    if options.format == "json":
        return answer.json()
    columns = list(_fields(options).values())
    return csv_items(answer.body, options.delimiter, columns, name=answer.url)


def _fields(options: ParkingFeedOptions) -> dict[str, str]:
    """The fields that are mapped, by what they mean."""
    given = {key: str(getattr(options, key)) for key in _MEANINGS}
    return {key: path for key, path in given.items() if path}


PROVIDER = ParkingFeed()
