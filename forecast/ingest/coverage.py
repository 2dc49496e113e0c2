"""Which zones and days a file covers, and whether its history is long enough to learn from."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.grid import day_date, day_number
from forecast.ingest.contract import SourceTable
from forecast.ingest.place import Place
from forecast.ingest.report import Findings, Ints

SHORT_DAYS = {"influx": 180}
"""Days of history below which learning is poor; 56 for the sources not named."""
STOPPED_DAYS = 14
"""Days by which a site may end before the last of its file."""
TONNES_PER_PERSON = 0.05
"""Daily waste per inhabitant [t] above which tonnages look like kilograms."""


def suspect_coverage(
    file: str, table: SourceTable, observations: pd.DataFrame, place: Place, findings: Findings
) -> None:
    """Record zones without a row, short histories, holes in series, and doubtful units."""
    if observations.empty:
        return
    present = set(observations["zone_id"].unique())
    absent = [f"{name} ({zone})" for zone, name in place.names.items() if zone not in present]
    if absent and table.name != "events":
        shown = ", ".join(absent[:5]) + (f" and {len(absent) - 5} more" if len(absent) > 5 else "")
        findings.add(
            "zone_without_rows",
            file,
            f"{len(absent)} of {len(place.names)} zones have no row: {shown}",
            advice="nothing to do if nobody measures there",
        )
    if table.measured:
        days = observations["date"].nunique()
        wanted = SHORT_DAYS.get(table.name, 56)
        if days < wanted:
            findings.add(
                "short_history",
                file,
                f"the file holds {days} day{'' if days == 1 else 's'}",
                expected=f"at least {wanted} to learn from, better two years",
            )
        _holes(file, observations, findings)
    if table.name == "waste":
        _kilograms(file, observations, place, findings)


def _holes(file: str, observations: pd.DataFrame, findings: Findings) -> None:
    """Gaps inside a series, longer than its usual rhythm, and series that end early."""
    series, labels = series_of(observations)
    day = day_number(observations["date"]).astype(np.int64)
    line = observations["line"].to_numpy()
    order = np.lexsort((day, series))
    series, day, line = series[order], day[order], line[order]
    starts = np.searchsorted(series, np.arange(len(labels) + 1))
    last = int(day.max())
    for s, label in enumerate(labels):
        days, first = np.unique(day[starts[s] : starts[s + 1]], return_index=True)
        steps = np.diff(days)
        usual = int(np.quantile(steps, 0.9, method="higher")) if len(steps) else 1
        wide = np.flatnonzero(steps > (usual if usual == 1 else 2 * usual))
        if len(wide):
            longest = wide[np.argmax(steps[wide])]
            at = int(line[starts[s] + first[longest + 1]])
            missing = int(np.sum(steps[wide] - 1))
            findings.add(
                "gap",
                file,
                f"{label}: {missing} days missing in {len(wide)} "
                f"place{'' if len(wide) == 1 else 's'}, the longest from "
                f"{iso(days[longest] + 1)} to {iso(days[longest + 1] - 1)}",
                line=at,
                advice="nothing to do if nothing was measured",
            )
        if len(labels) > 1 and last - days[-1] > max(STOPPED_DAYS, 3 * usual):
            findings.add(
                "stopped",
                file,
                f"{label}: ends on {iso(days[-1])}, others go on until {iso(last)}",
                line=int(line[starts[s] + first[-1]]),
                advice="is the sensor down, or has it a new name?",
            )


def _kilograms(file: str, observations: pd.DataFrame, place: Place, findings: Findings) -> None:
    daily = observations.groupby(["zone_id", "date"], observed=True)["value"].sum()
    for zone, middle in daily.groupby("zone_id", observed=True).median().items():
        population = place.population.get(str(zone))
        if population and middle > TONNES_PER_PERSON * population:
            findings.add(
                "unit",
                file,
                f"zone {zone}: {middle:,.0f} t a day for {population:,.0f} inhabitants",
                column="tonnage",
                expected=f"rarely more than {TONNES_PER_PERSON * 1000:g} kg a day for each",
                advice="are these kilograms? Divide by 1000",
            )


def series_of(observations: pd.DataFrame) -> tuple[Ints, list[str]]:
    """Number of the series (zone and site) of each row, and the name of each series."""
    zone, site = observations["zone_id"].cat, observations["site_id"].cat
    zones, sites = list(zone.categories), list(site.categories)
    pair = zone.codes.to_numpy().astype(np.int64) * (len(sites) + 1) + site.codes
    series, first = pd.factorize(np.asarray(pair))
    names = [f"{zones[p // (len(sites) + 1)]} {sites[p % (len(sites) + 1)]}".strip() for p in first]
    return series.astype(np.int64), names


def iso(day: int) -> str:
    """A day number as 2026-07-14."""
    return f"{day_date([day])[0]:%Y-%m-%d}"
