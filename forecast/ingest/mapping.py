"""Records of any layout, mapped to observations by configuration: which field means what.

A record is a JSON object. The day, the place and the values of each are read from the fields that
:class:`Mapped` names; records of one day, zone and site are aggregated. A day of which a value is
missing or cannot be read has no sum: it is left out, and counted, rather than too small.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from forecast.ingest.contract import CONTRACT
from forecast.ingest.provider import Options

FieldName = str
_FILLED = ("influx", "mobility", "parking", "waste", "events")
"""Sources that records can fill; weather has providers of its own."""


class Value(BaseModel):
    """One variable: ``factor`` times ``field``; or, of a car park, the occupancy made of ``free``
    and ``capacity`` spaces.

    ``aggregate`` makes the day of several records: their sum, mean or greatest value, or the share
    of those that reach 0.95 (``full``). ``hours`` are the local hours that count, from the first
    to before the last [h].
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: FieldName = ""
    free: FieldName = ""
    capacity: FieldName = ""
    factor: float = 1.0
    aggregate: Literal["sum", "mean", "max", "full"] = "sum"
    hours: tuple[int, int] = (0, 24)

    @model_validator(mode="after")
    def _one_meaning(self) -> Self:
        if bool(self.field) == bool(self.free) or bool(self.free) != bool(self.capacity):
            raise ValueError("expected either field, or both free and capacity")
        if not 0 <= self.hours[0] < self.hours[1] <= 24:
            raise ValueError(
                "hours: expected the first before the last, from 0 to 24, like [9, 19]"
            )
        if not math.isfinite(self.factor) or self.factor <= 0:
            raise ValueError("factor: expected a number above 0")
        return self

    @property
    def fields(self) -> tuple[FieldName, ...]:
        """The fields it is made of."""
        return tuple(name for name in (self.field, self.free, self.capacity) if name)


class Mapped(Options):
    """Which field of a record means what.

    The place is read from one of ``zone_field`` (a zone or an INSEE code), ``point_field``
    (coordinates in degrees), or is ``zone`` for all. ``end_field`` is the last day of an event.
    ``available_field`` says when a record could be read, where the provider says so. A day with
    fewer than ``min_records`` for a site is left out.
    """

    source: str = Field(description="observation source that is filled")
    date_field: FieldName = Field(min_length=1, description="day, or instant with its offset")
    end_field: FieldName = Field(default="", description="last day, of events")
    available_field: FieldName = Field(default="", description="instant a record could be read")
    zone_field: FieldName = Field(default="", description="zone id or INSEE code of a commune")
    point_field: FieldName = Field(default="", description="coordinates")
    zone: str = Field(default="", description="zone of all records")
    site_field: FieldName = Field(default="", description="sensor, car park, round or event")
    values: Mapping[str, Value] = Field(min_length=1, description="by variable of the source")
    min_records: int = Field(
        default=1, ge=1, le=100_000, description="records without which a site's day is left out"
    )

    @field_validator("values", mode="before")
    @classmethod
    def _short_form(cls, given: Any) -> Any:
        """``count = "field"`` is short for ``count = { field = "field" }``."""
        if not isinstance(given, Mapping):
            return given
        return {k: {"field": v} if isinstance(v, str) else v for k, v in given.items()}

    @model_validator(mode="after")
    def _fits_the_contract(self) -> Self:
        if self.source not in _FILLED:
            raise ValueError(f"source {self.source!r}: expected one of {', '.join(_FILLED)}")
        table = CONTRACT[self.source]
        for variable in self.values:
            if variable not in table.variables:
                raise ValueError(
                    f"values.{variable}: {self.source} has no such variable; expected one of "
                    f"{', '.join(table.variables)}"
                )
        if sum(map(bool, (self.zone_field, self.point_field, self.zone))) != 1:
            raise ValueError("expected one of zone_field, point_field and zone")
        if bool(self.site_field) < bool(table.site and table.schema.column(table.site).required):
            raise ValueError(f"site_field: {self.source} needs the name of a {table.site}")
        if self.end_field and self.source != "events":
            raise ValueError("end_field is for events")
        for name in self.fields:
            if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*", name):
                raise ValueError(f"{name!r} is no name of a field")
        return self

    @property
    def fields(self) -> tuple[FieldName, ...]:
        """Every field that is read, once; the date first."""
        places = (self.zone_field, self.point_field, self.site_field)
        values = (name for value in self.values.values() for name in value.fields)
        found = (self.date_field, self.end_field, self.available_field, *places, *values)
        return tuple(dict.fromkeys(name for name in found if name))
