"""Car parks in real time by DATEX II v2, ``ParkingStatusPublication``; polled.

For each car park a ``parkingRecordStatus``: vacant and occupied spaces, or an occupancy [%], at
``parkingStatusOriginTime``, and statuses. A car park that is closed, or whose status is unknown,
gives no measure. With or without prefixes (``ns2:``). Capacity and position come from the
inventory or the configuration: this publication has neither. Where both vacant and occupied spaces
are given their sum is the capacity.

Names of elements as read in third parties' code and in classes generated from the schema [E]; that
``parkingOccupancy`` is a percentage is the schema's type [E]; no such feed of the estuary is known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import isfinite, nan
from typing import ClassVar, cast
from xml.etree.ElementTree import Element

from pydantic import Field

from forecast.errors import ProviderError
from forecast.ingest.car_parks import ParkingOptions
from forecast.ingest.http import Client
from forecast.ingest.keyed import ask
from forecast.ingest.occupancy import Poll, Reading, keep
from forecast.ingest.polling import now_piece
from forecast.ingest.provider import About, Batch, Options, Piece, Setting, Span
from forecast.ingest.safe_xml import named, parse_xml, text_of

_SILENT = {"unknown", "statusunknown", "closed", "closedabnormal", "outofservice"}
_COUNTS = {
    "free": "parkingNumberOfVacantSpaces",
    "occupied": "parkingNumberOfOccupiedSpaces",
    "percent": "parkingOccupancy",
    "capacity": "parkingNumberOfSpacesOverride",
}


class DatexParkingOptions(ParkingOptions):
    """Where the publication is."""

    url: str = Field(
        pattern=r"^https?://", description="address of the ParkingStatusPublication (DATEX II v2)"
    )


class DatexParking:
    """Occupancy of car parks from DATEX II."""

    kind: ClassVar[str] = "datex-parking"
    options: ClassVar[type[Options]] = DatexParkingOptions
    about: ClassVar[About] = About(
        title="Stationnement en temps réel (DATEX II)",
        sources=("parking",),
        homepage="https://docs.datex2.eu",
        licence="that of the operator's feed",
        attribution="",
        terms="those of the operator; no history: only what is polled is known",
        verified="element names read in third parties' code and in classes generated from the "
        "schema; no feed was reached",
    )

    def pieces(self, options: Options, span: Span, setting: Setting) -> Iterator[Piece]:
        """See :class:`forecast.ingest.provider.Provider`."""
        yield from now_piece(span)

    def fetch(self, piece: Piece, options: Options, setting: Setting, client: Client) -> Batch:
        """See :class:`forecast.ingest.provider.Provider`."""
        given = cast(DatexParkingOptions, options)
        answer = ask(client, given.url, given)
        poll = parse_statuses(answer.body, name=answer.url)
        return keep(poll, given, piece, setting, client)


def parse_statuses(data: bytes, *, name: str) -> Poll:
    """What a publication says of the car parks now.

    Raises
    ------
    ProviderError
        If it is no such publication.
    """
    root = parse_xml(data, name=name)
    records = list(named(root, "parkingRecordStatus"))
    if not records:
        raise ProviderError(
            f"{name}: expected a DATEX II v2 ParkingStatusPublication with parkingRecordStatus, "
            f"found none in <{root.tag}>"
        )
    readings: list[Reading] = []
    refused: list[str] = []
    silent: Counter[str] = Counter()
    for number, record in enumerate(records, start=1):
        reference = record.find("parkingRecordReference")
        site = reference.get("id", "").strip() if reference is not None else ""
        where = f"{name}, parkingRecordStatus {number} ({site or 'no id'})"
        if not site:
            refused.append(f"{where}: parkingRecordReference has no id; expected one")
            continue
        statuses = [
            text_of(record, element)
            for element in ("parkingSiteStatus", "parkingSiteOpeningStatus")
        ]
        if mute := next((s for s in statuses if s.lower() in _SILENT), ""):
            silent[mute] += 1
            continue
        counts, problem = _counts(record)
        if problem:
            refused.append(f"{where}: {problem}")
            continue
        readings.append(
            Reading(
                where=where,
                site_id=site,
                time=text_of(record, "parkingStatusOriginTime"),
                free=counts["free"],
                occupied=counts["occupied"],
                percent=counts["percent"],
                capacity=counts["capacity"],
                full=statuses[0].lower() == "full",
            )
        )
    return Poll(readings, tuple(refused), silent)


def _counts(record: Element) -> tuple[dict[str, float], str]:
    """The figures of a record, NaN where they are not given, and what is wrong with them."""
    found = {}
    for field, element in _COUNTS.items():
        text = text_of(record, "parkingOccupancy", element)
        try:
            value = float(text) if text else nan
        except ValueError:
            value = -1.0
        if text and not (isfinite(value) and 0 <= value <= 1e5):
            return {}, f"{element} is {text[:40]!r}; expected a number from 0 to 100,000"
        found[field] = value
    return found, ""


PROVIDER = DatexParking()
