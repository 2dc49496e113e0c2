"""The input contract: the seven files a territory may bring.

Everything that is read, checked, published as Table Schema and documented comes from
:data:`CONTRACT`.
"""

from __future__ import annotations

from dataclasses import dataclass

from forecast.tables import Column, TableSchema


@dataclass(frozen=True)
class SourceTable:
    """One file of the contract.

    ``variables`` are the columns that become observations, one variable each; their cells may be
    empty, which states nothing. ``needs`` are the value columns that must be there; where it is
    empty, at least one of ``variables`` must be. ``site`` is the column that becomes ``site_id``.
    ``measured`` says that a row cannot be known before its day is over.
    """

    schema: TableSchema
    variables: tuple[str, ...]
    needs: tuple[str, ...] = ()
    site: str = ""
    measured: bool = True

    @property
    def name(self) -> str:
        """The source, and the name of its file without extension."""
        return self.schema.name


_ZONE = Column(
    "zone_id",
    "text",
    "",
    "zone, as in territory.toml; text, leading zeros kept",
    example="200066827",
)
_SITE = Column("site_id", "text", "", "sensor or car park; one name for ever", example="P1")
_DATE = Column("date", "date", "", "civil day in the territory's time zone", example="2026-07-14")


def _available(example: str) -> Column:
    return Column(
        "available_at",
        "instant",
        "UTC",
        "instant from which the row could be read; derived where absent",
        required=False,
        example=example,
    )


def _value(name: str, unit: str, meaning: str, low: float, high: float, example: str) -> Column:
    return Column(name, "number", unit, meaning, low, high, required=False, example=example)


_WEATHER = (
    _value("temperature_max", "°C", "highest temperature of the day", -60, 60, "24.3"),
    _value("temperature_min", "°C", "lowest temperature of the day", -60, 60, "15.1"),
    _value("precipitation", "mm", "rain and melted snow of the day", 0, 2000, "0.4"),
    _value("sunshine", "h", "duration of sunshine", 0, 24, "9.5"),
    _value("wind_gust", "km/h", "strongest gust of the day", 0, 400, "38"),
    # Kept in the lake for whoever needs them; no feature reads them yet.
    _value("precipitation_bathing", "mm", "rain from 10 to 18 h local time", 0, 1000, "0"),
    _value("sunshine_bathing", "h", "sunshine from 10 to 18 h local time", 0, 8, "6.5"),
)
_SEA = (
    _value("sea_temperature", "°C", "mean sea temperature from 10 to 18 h", -3, 45, "18.4"),
    _value("wave_height", "m", "highest significant wave height of the day", 0, 40, "0.8"),
)
_WEATHER_NAMES = tuple(column.name for column in _WEATHER)

_TABLES = (
    SourceTable(
        TableSchema(
            "influx",
            "visitors present in a zone on a day who do not live there",
            (
                _ZONE,
                _DATE,
                _value("influx", "visitors day⁻¹", "visitors present", 0, 5e6, "12500"),
                _available("2026-07-16T08:00:00Z"),
            ),
            ("zone_id", "date", "available_at"),
        ),
        variables=("influx",),
        needs=("influx",),
    ),
    SourceTable(
        TableSchema(
            "mobility",
            "passages counted by a sensor on a day",
            (
                _ZONE,
                _SITE,
                _DATE,
                _value("count", "passages day⁻¹", "passages counted", 0, 1e7, "8421"),
                _available("2026-07-15T06:00:00Z"),
            ),
            ("zone_id", "site_id", "date", "available_at"),
        ),
        variables=("count",),
        needs=("count",),
        site="site_id",
    ),
    SourceTable(
        TableSchema(
            "parking",
            "occupancy of a car park on a day",
            (
                _ZONE,
                _SITE,
                _DATE,
                _value("occupancy", "share", "mean occupancy from 9 to 19 h", 0, 1.2, "0.85"),
                _value("occupancy_peak", "share", "highest occupancy", 0, 1.2, "0.99"),
                _value("full_share", "share", "share of slots at least 95 % full", 0, 1, "0.25"),
                _value("capacity", "spaces", "number of spaces", 0, 1e5, "420"),
                _available("2026-07-15T00:00:00Z"),
            ),
            ("zone_id", "site_id", "date", "available_at"),
        ),
        variables=("occupancy", "occupancy_peak", "full_share", "capacity"),
        needs=("occupancy",),
        site="site_id",
    ),
    SourceTable(
        TableSchema(
            "waste",
            "waste collected on a day",
            (
                _ZONE,
                Column(
                    "site_id",
                    "text",
                    "",
                    "round, stream or facility; absent where the zone is weighed as a whole",
                    required=False,
                    example="OMR-nord",
                ),
                Column("date", "date", "", "civil day of collection", example="2026-07-14"),
                _value("tonnage", "t day⁻¹", "tonnes collected", 0, 1e5, "43.7"),
                _available("2026-07-18T06:00:00Z"),
            ),
            ("zone_id", "site_id", "date", "available_at"),
        ),
        variables=("tonnage",),
        needs=("tonnage",),
        site="site_id",
    ),
    SourceTable(
        TableSchema(
            "weather",
            "weather observed in a zone on a day",
            (_ZONE, _DATE, *_WEATHER, *_SEA, _available("2026-07-15T10:00:00Z")),
            ("zone_id", "date", "available_at"),
        ),
        variables=(*_WEATHER_NAMES, *(column.name for column in _SEA)),
    ),
    SourceTable(
        TableSchema(
            "weather_forecast",
            "weather forecast for a zone and a day, as issued at an instant",
            (
                _ZONE,
                Column(
                    "issued_at",
                    "instant",
                    "UTC",
                    "instant of issue (run) of the forecast",
                    example="2026-07-12T00:00:00Z",
                ),
                Column("date", "date", "", "civil day the forecast is about", example="2026-07-14"),
                *_WEATHER,
                _available("2026-07-12T06:00:00Z"),
            ),
            ("zone_id", "issued_at", "date", "available_at"),
        ),
        variables=_WEATHER_NAMES,
        measured=False,
    ),
    SourceTable(
        TableSchema(
            "events",
            "an event in a zone, one row for all its days",
            (
                _ZONE,
                Column("event", "text", "", "name of the event", example="Fête de la mer"),
                Column("date", "date", "", "first civil day", example="2026-07-14"),
                Column(
                    "end_date",
                    "date",
                    "",
                    "last civil day, itself included; the first day where absent",
                    required=False,
                    example="2026-07-16",
                ),
                _value("attendance", "persons day⁻¹", "persons expected a day", 0, 5e6, "15000"),
                _available("2026-06-01T08:00:00Z"),
            ),
            ("zone_id", "event", "date", "available_at"),
        ),
        variables=("attendance",),
        needs=("attendance",),
        site="event",
        measured=False,
    ),
)

CONTRACT: dict[str, SourceTable] = {table.name: table for table in _TABLES}
"""The seven files by source, in the order of the documentation."""
