"""The three files of ``etalab/schema-comptage-mobilites``: what is read of them.

References
----------
https://schema.data.gouv.fr/etalab/schema-comptage-mobilites (read in version 0.2.3 [V]; 0.2.5 is
the current one): names of columns and their meaning.
"""

from __future__ import annotations

from forecast.ingest.contract import SourceTable
from forecast.tables import Column, Kind, TableSchema


def _column(
    name: str, kind: Kind, meaning: str, low: float | None = None, high: float | None = None
) -> Column:
    return Column(name, kind, "", meaning, low, high, required=False)


def _needed(name: str, kind: Kind, meaning: str) -> Column:
    return Column(name, kind, "", meaning)


SITES = SourceTable(
    TableSchema(
        "site",
        "a place where passages are counted",
        (
            _needed("site_id", "text", "identifier of the site"),
            _column("fr_insee_code", "text", "commune"),
            _column("xlong", "number", "longitude [°]", -180, 180),
            _column("ylat", "number", "latitude [°]", -90, 90),
        ),
        ("site_id",),
    ),
    variables=("site_id",),
)
CHANNELS = SourceTable(
    TableSchema(
        "channel",
        "one direction or kind of passage at a site",
        (
            _needed("channel_id", "text", "identifier of the channel"),
            _needed("site_id", "text", "its site"),
            _column("mobility_type", "text", "who is counted"),
            _column("started_at", "text", "beginning of service"),
            _column("ended_at", "text", "end of service"),
            _column("time_step", "number", "length of a step [s]", 1, 86_400),
        ),
        ("channel_id",),
    ),
    variables=("channel_id",),
)
MEASURES = SourceTable(
    TableSchema(
        "measure",
        "passages counted during one time step",
        (
            _needed("channel_id", "text", "the channel"),
            _needed("start_datetime", "instant", "beginning of the step, included"),
            _column("end_datetime", "instant", "end of the step, not included"),
            _column("count", "number", "passages; empty: no measure", 0, 1e7),
        ),
        ("channel_id", "start_datetime"),
    ),
    variables=("count",),
    needs=("count",),
)
"""The columns that are read of the three files; the others are ignored."""
