"""The two files of the DIR's traffic counts, from bytes to rows.

See :mod:`forecast.ingest.providers.dir_traffic` for what they are and what of it was seen.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

import numpy as np
import pandas as pd

from forecast.errors import ProviderError
from forecast.ingest.decoding import EncodingFault, decode
from forecast.ingest.lambert93 import to_degrees
from forecast.ingest.moments import parse_instants
from forecast.ingest.safe_xml import named, parse_xml, text_of

MAX_FLOW = 15_000.0
"""No carriageway of the network carries more [vehicles h⁻¹]."""
_X_FROM_END, _Y_FROM_END, _WIDTHS = -5, -4, (19, 20)


def parse_flows(data: bytes, *, name: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Flow of each station: columns ``site_id``, ``at`` (UTC), ``value`` [vehicles h⁻¹].

    The second result holds a sentence for each station that is refused; those that publish no
    flow are neither a row nor an error. Raises ProviderError if it is no such publication.
    """
    root = parse_xml(data, name=name)
    elements = list(named(root, "siteMeasurements"))
    if not elements:
        raise ProviderError(
            f"{name}: expected DATEX II with siteMeasurements, found none in <{root.tag}>"
        )
    rows: list[tuple[str, str, float]] = []
    refused: list[str] = []
    for number, element in enumerate(elements, start=1):
        reference = element.find("measurementSiteReference")
        site = reference.get("id", "").strip() if reference is not None else ""
        where = f"{name}, siteMeasurements {number} ({site or 'no id'})"
        flow, wrong = _flow(element)
        if not wrong and flow is not None and not site:
            wrong = "measurementSiteReference has no id"
        if wrong:
            refused.append(f"{where}: {wrong}")
        elif flow is not None:
            rows.append((site, text_of(element, "measurementTimeDefault"), flow))
    frame = pd.DataFrame(rows, columns=["site_id", "at", "value"])
    read = parse_instants(pd.Series(frame["at"], dtype="str"), "UTC")
    offset = frame["at"].astype("str").str.contains(r"(?:Z|[+-]\d{2}:?\d{2})$", regex=True)
    good = np.asarray(read.when.notna()) & offset.to_numpy(dtype=bool)
    refused += [
        f"{name}, station {site}, measurementTimeDefault: {at!r}; expected an instant with its "
        "offset, like 2026-08-31T22:30:00.000+02:00"
        for site, at in frame.loc[~good, ["site_id", "at"]].itertuples(index=False)
    ]
    frame["at"] = read.when
    twice = frame.duplicated(["site_id", "at"], keep=False).to_numpy()
    refused += [
        f"{name}, station {site}: given several times at one instant; expected once"
        for site in sorted(set(frame.loc[good & twice, "site_id"]))
    ]
    return frame[good & ~twice].reset_index(drop=True), tuple(refused)


def _flow(element: Element) -> tuple[float | None, str]:
    """The flow of a station, None if it gives none, and what is wrong with it."""
    rates = [
        (rate.text or "").strip()
        for flow in element.iter("vehicleFlow")
        if text_of(flow, "dataError").lower() not in ("true", "1")
        for rate in flow.findall("vehicleFlowRate")
    ]
    if not rates:
        return None, ""
    if len(rates) > 1:
        return None, f"{len(rates)} flows, expected one: which to add is not said"
    try:
        value = float(rates[0])
    except ValueError:
        value = float("nan")
    if not 0 <= value <= MAX_FLOW:
        return None, (
            f"vehicleFlowRate is {rates[0][:40]!r}; expected 0 to {MAX_FLOW:,.0f} vehicles per hour"
        )
    return value, ""


def parse_stations(data: bytes, *, name: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Where stations are: columns ``site_id``, ``operator``, ``latitude``, ``longitude`` [°].

    Coordinates that are empty or zero are NaN. The second result holds a sentence for each row
    that is refused. Raises ProviderError if no row has coordinates in France: it is another file.
    """
    text = decode(data)
    if isinstance(text, EncodingFault):
        raise ProviderError(f"{name}: {text.what}; expected the CSV of the stations")
    rows: list[tuple[str, str, float, float]] = []
    refused: list[str] = []
    for line, content in enumerate(text.splitlines()[1:], start=2):
        cells = [cell.strip() for cell in content.split(";")]
        if cells == [""]:
            continue
        where = f"{name}, line {line} ({cells[0][:40]})"
        if len(cells) not in _WIDTHS or not cells[0]:
            refused.append(f"{where}: {len(cells)} values; expected 19, the first one the station")
            continue
        x, y = (_metres(cells[place]) for place in (_X_FROM_END, _Y_FROM_END))
        if x is None or y is None:
            refused.append(
                f"{where}: x_deb, y_deb are {cells[_X_FROM_END][:20]!r}, "
                f"{cells[_Y_FROM_END][:20]!r}; expected metres in Lambert-93"
            )
            continue
        rows.append((cells[0], cells[1], x, y))
    frame = pd.DataFrame(rows, columns=["site_id", "operator", "x", "y"])
    frame["latitude"], frame["longitude"] = to_degrees(frame.pop("x"), frame.pop("y"))
    if not frame["latitude"].notna().any():
        raise ProviderError(
            f"{name}: no row has coordinates of Lambert-93 in metropolitan France among its last "
            f"five values; expected refDir.csv, found {text[:80]!r}"
        )
    return frame.drop_duplicates("site_id", keep="last").reset_index(drop=True), tuple(refused)


def _metres(cell: str) -> float | None:
    """A coordinate, NaN if it is not given (empty or zero), None if it is no number."""
    try:
        value = float(cell.replace(",", ".")) if cell else 0.0
    except ValueError:
        return None
    return value if value and np.isfinite(value) else float("nan")
