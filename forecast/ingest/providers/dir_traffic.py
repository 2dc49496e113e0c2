"""Road traffic on the national network (DIR), polled every few minutes and accumulated.

``qtvDir.xml`` is a DATEX II v2 ``MeasuredDataPublication``: for each station one flow
[vehicles h⁻¹] and one speed, at ``measurementTimeDefault``. ``refDir.csv`` places the stations in
Lambert-93; its header has 20 names and its rows 19 values, so that coordinates are counted from the
end; about four stations in ten have none. There is no history: a day missed is missed for ever. A
flow of zero is a measure, a station without a flow is none.

Formats as read in third parties' code and their copies of real answers [E]; the service itself was
not reached. That ``measurementTimeDefault`` ends the six minutes measured is [E]; that a station
has one flow is [E], and one with several is refused rather than summed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import ClassVar, cast

import numpy as np
import pandas as pd
from pydantic import Field

from forecast.ingest.http import Client
from forecast.ingest.polling import PollOptions, accumulate, now_piece
from forecast.ingest.provider import About, Batch, Options, Piece, Setting, Span
from forecast.ingest.road_traffic import parse_flows, parse_stations
from forecast.ingest.slots import flow_days

_BASE = "http://tipi.bison-fute.gouv.fr/bison-fute-ouvert/publicationsDIR/QTV-DIR"


class DirOptions(PollOptions):
    """``measures_url`` and ``stations_url`` are the two files; the host serves no TLS [E]."""

    measures_url: str = Field(
        default=f"{_BASE}/qtvDir.xml", description="address of the measures (DATEX II)"
    )
    stations_url: str = Field(
        default=f"{_BASE}/refDir.csv", description="address of the stations' positions (CSV)"
    )
    operators: tuple[str, ...] = Field(
        default=(), description="operators whose stations are read (DIRNO); empty: all"
    )


class DirTraffic:
    """Flows of the DIR's stations as daily passages."""

    kind: ClassVar[str] = "dir-traffic"
    options: ClassVar[type[Options]] = DirOptions
    about: ClassVar[About] = About(
        title="Trafic routier du réseau national non concédé (DIR, Bison Futé)",
        sources=("mobility",),
        homepage="https://www.data.gouv.fr/datasets/"
        "etat-de-circulation-en-temps-reel-sur-le-reseau-national-routier-non-concede",
        licence="Licence Ouverte 2.0",
        attribution="Bison Futé, directions interdépartementales des routes (DIR)",
        terms="free, no key; every 6 minutes, no history; the concessions (A13, A29) are not in it",
        verified="formats read in third parties' code and copies of real answers; the service "
        "itself was not reached",
    )

    def pieces(self, options: Options, span: Span, setting: Setting) -> Iterator[Piece]:
        """See :class:`forecast.ingest.provider.Provider`."""
        yield from now_piece(span)

    def fetch(self, piece: Piece, options: Options, setting: Setting, client: Client) -> Batch:
        """See :class:`forecast.ingest.provider.Provider`."""
        given = cast(DirOptions, options)
        table = client.get(given.stations_url)
        stations, lost = parse_stations(table.body, name=table.url)
        answer = client.get(given.measures_url)
        flows, refused = parse_flows(answer.body, name=answer.url)
        readings, unplaced = _placed(flows, stations, given, setting)
        return accumulate(
            "mobility",
            readings,
            flow_days,
            ("count",),
            piece=piece,
            options=given,
            setting=setting,
            unplaced=unplaced,
            refused=(*lost, *refused),
        )


def _placed(
    flows: pd.DataFrame, stations: pd.DataFrame, options: DirOptions, setting: Setting
) -> tuple[pd.DataFrame, dict[str, int]]:
    """The flows within the zones, and the number of the others by operator."""
    known = flows.merge(stations, on="site_id", how="left")
    known["operator"] = known["operator"].astype(object).where(known["operator"].notna(), "unknown")
    if options.operators:
        known = known[known["operator"].isin(options.operators)]
    zone = setting.places.zones_of_points(
        known["latitude"].to_numpy(dtype=float), known["longitude"].to_numpy(dtype=float)
    )
    known = known.assign(zone_id=zone, variable="flow")
    lost = known["zone_id"].isna()
    where = np.where(known["latitude"].isna(), " without position", " elsewhere")
    counts: Counter[str] = Counter((known["operator"].astype(str) + where)[lost].tolist())
    return known[~lost], {f"stations of {place}": n for place, n in sorted(counts.items())}


PROVIDER = DirTraffic()
