"""Every as-of column against a slow and obvious reference, on random tables.

The reference answers one question at a time: it keeps the rows with ``available_at <= origin``, of
each fact the latest, and computes each column from that dictionary of days as its meaning says.
The tables have gaps, revisions, late rows, rows that share an instant, several sites, stuck and
full sensors, days without a round, weeks of nobody, rows of unknown zones and empty values, in
random order.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.analogue import analogue_days, run_days
from forecast.config import RunConfig
from forecast.features import Evidence, Source, build
from forecast.features.events import SOURCE as EVENTS
from forecast.features.history import SOURCE as HISTORY
from forecast.features.mobility import SOURCE as MOBILITY
from forecast.features.parking import FULL
from forecast.features.parking import SOURCE as PARKING
from forecast.features.waste import SOURCE as WASTE
from forecast.features.weather import Weather
from forecast.grid import Grid, day_date, day_number, grid_from_frame
from forecast.tables import OBSERVATIONS, check
from forecast.territory import Territory

Known = dict[int, float]
Ints = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]
NAN = float("nan")
PARIS = "Europe/Paris"
FIRST = 19_000  # 8 January 2022
ZONES = ("zone b", "zone a", "zone c")  # not in alphabetical order
SEEDS = st.integers(0, 2**32 - 1)
thoroughly = settings(max_examples=12, deadline=None)


def territory() -> Territory:
    place = {"latitude": 49.5, "longitude": 0.1}
    populations, homes = (1000, 7, 320_000), ("FR", "BE", "FR")
    return RunConfig.model_validate(
        {
            "id": "t",
            "name": "T",
            "zones": [
                {"id": name, "name": name, "population": size, "country": home, **place}
                for name, size, home in zip(ZONES, populations, homes, strict=True)
            ],
            "origin_markets": [{"country": "FR", "school": "Zone C", "share": 1.0}],
        }
    ).territory()


TERRITORY = territory()
SPAN = FIRST - 1100, 3000
SPECIAL = run_days(TERRITORY, *SPAN)
LIKE = analogue_days(TERRITORY, *SPAN)


def ratio(value: float, base: float) -> float:
    return value / base if base > 0 else NAN


def mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else NAN


def steady(values: list[float], least: float = 0.0) -> float:
    """Mean in which values below an e-th of the median, if it counts, are the median."""
    middle = float(np.median(values)) if values else NAN
    if len(values) < 4 or middle < least:
        return mean(values)
    return mean([v if middle / np.e <= v else middle for v in values])


def over(known: Known, last: int, days: int) -> float:
    """Mean of the known days among the last ``days`` up to ``last``."""
    return mean([known[d] for d in range(last - days + 1, last + 1) if d in known])


# --- random tables ------------------------------------------------------------------------------


def random_rows(
    rng: np.random.Generator,
    source: str,
    variable: str,
    days: int,
    draw: Callable[[Ints], Doubles],
    names: tuple[str, ...] = ("north", "south", "east"),
) -> pd.DataFrame:
    """Rows of one variable, in random order, with everything that goes wrong with rows.

    ``draw`` gives the values of an array of days.
    """
    parts = []
    for zone in (*ZONES, "elsewhere"):
        for site in names[: rng.integers(1, 4)]:
            begin, end = rng.choice([0, 0, days // 2]), rng.choice([days, days, days - 20])
            day = FIRST + np.flatnonzero(rng.random(int(end)) < rng.choice([0.9, 0.9, 0.9, 0.15]))
            day = day[day >= FIRST + begin]
            # Whole days, so that many rows share their instant.
            late = rng.choice([1, 2, 3, 10, 60], len(day), p=[0.3, 0.4, 0.2, 0.08, 0.02])
            part = pd.DataFrame({"zone_id": zone, "site_id": site, "day": day, "at": day + late})
            for _ in range(3):  # revisions, and revisions of revisions
                parts.append(part)
                part = part[rng.random(len(part)) < 0.1]
                part = part.assign(at=part["at"] + rng.integers(1, 400, len(part)))
    rows = pd.concat(parts).sample(frac=1, random_state=rng)
    value = draw(rows["day"].to_numpy()).astype(np.float64)
    # Sites do not share their values: two never lie at the very same distance from their normal.
    power = 1 + 0.1 * rows["site_id"].map(dict(zip(names, range(3), strict=True))).to_numpy()
    value = np.sign(value) * np.abs(value) ** power
    value[rng.random(len(rows)) < 0.01] = NAN
    return pd.DataFrame(
        {
            "source": source,
            "zone_id": rows["zone_id"].to_numpy(),
            "site_id": rows["site_id"].to_numpy(),
            "variable": variable,
            "date": day_date(rows["day"]),
            "available_at": day_date(rows["at"]).tz_localize("UTC"),
            "value": value,
            "provider": "random",
        }
    )


def random_grid(rng: np.random.Generator, days: int, questions: int = 60) -> Grid:
    """Questions in random order: unknown zones, targets far outside the table, shared origins."""
    at = rng.choice(rng.integers(FIRST, FIRST + days + 40, 9), questions)
    step = rng.integers(-2, 20, questions)
    far = rng.random(questions) < 0.2
    step[far] = rng.choice([-1000, -500, 120, 200, 400], int(far.sum()))
    return grid_from_frame(
        pd.DataFrame(
            {
                "zone_id": rng.choice([*ZONES, "nowhere"], questions),
                "origin": day_date(at).tz_localize("UTC"),
                "target_date": day_date(at + step),
            }
        ).drop_duplicates(),
        TERRITORY.zone_ids,
        PARIS,
    )


# --- the reference ------------------------------------------------------------------------------


def latest(rows: pd.DataFrame, zone: str, origin: pd.Timestamp) -> dict[str, Known]:
    """What was known of each site of a zone at an instant: day → value."""
    readable = rows[(rows["zone_id"] == zone) & (rows["available_at"] <= origin)].dropna()
    last = readable.sort_values("available_at", kind="stable").drop_duplicates(
        ["site_id", "date"], keep="last"
    )
    sites: dict[str, Known] = {}
    values = last["value"].astype(np.float32)
    for site, day, value in zip(last["site_id"], day_number(last["date"]), values, strict=True):
        sites.setdefault(site, {})[int(day)] = float(value)
    return sites


def summed(sites: dict[str, Known]) -> Known:
    days = {day for known in sites.values() for day in known}
    return {d: sum(known[d] for known in sites.values() if d in known) for d in days}


def questions(grid: Grid) -> Iterator[tuple[str, pd.Timestamp, int, int]]:
    for zone, at, target in zip(grid.row_zone, grid.row_origin, grid.target_day, strict=True):
        origin = pd.Timestamp(int(at), unit="us", tz="UTC")
        asked = int(day_number([origin.tz_convert(PARIS).tz_localize(None)])[0])
        yield ZONES[zone] if zone >= 0 else "nowhere", origin, asked, int(target)


def measured(known: Known) -> Known:
    """Without weeks of nobody, where hardly any other day is empty."""
    rest: Known = {}
    for _, run in itertools.groupby(sorted(known), key=lambda d: known[d] == 0):
        days = list(run)
        if known[days[0]] != 0 or len(days) < 7:
            rest |= {d: known[d] for d in days}
    empty = sum(value == 0 for value in rest.values())
    return known if empty > 0.05 * len(rest) else rest


def history(known: Known, zone: str, asked: int, target: int) -> list[float]:
    if not known:
        return [NAN] * 16
    z = ZONES.index(zone)
    newest = max(known)
    known = measured(known)

    def level(last: int) -> float:
        days = [last - 7 * k for k in range(12) if last - 7 * k in known]
        ordinary = [d for d in days if not SPECIAL[z, d - SPAN[0]]]
        if len(ordinary) < 2:
            return mean([known[d] for d in days])
        return steady([known[d] for d in ordinary[:6]], 0.3 * overall)

    def latest_like(day: int) -> int:
        return next(d for d in range(newest, newest - 7, -1) if d % 7 == day % 7)

    overall = over(known, newest, 56)
    last = latest_like(target)
    base = level(last)
    if np.isnan(base) or base < 0.1 * overall:
        base = 0.1 * overall
    deviations = {
        d: ratio(known[d], level(latest_like(d)))
        for d in range(newest - 27, newest + 1)
        if d in known
    }
    deviations = {d: r for d, r in deviations.items() if not np.isnan(r)}
    then = over(known, newest - 364, 28)
    like = int(LIKE[z, target - SPAN[0]])
    return [
        base,
        overall,
        *(ratio(known.get(last - 7 * k, NAN), base) for k in range(4)),
        ratio(overall, base),
        deviations.get(newest, NAN),
        steady([r for d, r in deviations.items() if d > newest - 7]),
        float(np.std(list(deviations.values()))) if len(deviations) > 1 else NAN,
        ratio(over(known, newest, 28), then),
        ratio(known.get(target - 364, NAN), level(last - 364)),
        ratio(known.get(like, NAN), level(like - (target - last))),
        ratio(over(known, target - 361, 7), then),
        ratio(over(known, target - 360, 9), overall),
        asked - newest,
    ]


def site_index(known: Known, day: int, full: float) -> float:
    """One site against its own normal for the weekday; NaN where the reading says nothing."""
    value = known.get(day, NAN)
    is_full = value >= np.float32(full)
    run = [known.get(day - k, NAN) for k in range(14 if is_full else 3)]
    normal = [known[day - 7 * k] for k in range(1, 9) if day - 7 * k in known]
    if np.isnan(value) or value == 0 or run == [value] * len(run) or len(normal) < 3:
        return NAN
    index = ratio(value, float(np.median(normal)))
    return max(index, 1.0) if is_full and not np.isnan(index) else index


def zone_index(sites: dict[str, Known], day: int, full: float) -> tuple[float, int, int]:
    """Median over sites (of two middle ones the nearer to 1), sites with an index, full ones."""
    indices = {name: site_index(known, day, full) for name, known in sites.items()}
    found = sorted(i for i in indices.values() if not np.isnan(i))
    filled = sum(
        sites[name][day] >= np.float32(full) for name, i in indices.items() if not np.isnan(i)
    )
    if not found:
        return NAN, 0, 0
    middle = found[(len(found) - 1) // 2], found[len(found) // 2]
    return min(middle, key=lambda i: abs(np.log(i))), len(found), filled


def sensors(sites: dict[str, Known], asked: int, target: int, full: float) -> list[float]:
    if not sites:
        return [NAN] * 9
    newest = max(max(known) for known in sites.values())
    if asked - newest > 35:
        return [NAN] * 7 + [asked - newest, NAN]
    days = {d: zone_index(sites, d, full) for d in range(newest - 27, newest + 1)}
    index = {d: i for d, (i, _, _) in days.items() if not np.isnan(i)}
    same = next(d for d in range(newest, newest - 7, -1) if d % 7 == target % 7)
    week = [days[d] for d in range(newest - 6, newest + 1)]
    busy = sum(n for _, n, _ in week)
    return [
        index.get(newest, NAN),
        over(index, newest, 3),
        over(index, newest, 7),
        over(index, newest, 28),
        index.get(same, NAN),
        index.get(same - 7, NAN),
        max(days[d][1] for d in range(newest - 2, newest + 1)),
        asked - newest,
        sum(f for _, _, f in week) / busy if busy else NAN,
    ]


def thrown_away(known: Known) -> Known:
    """Tonnage per day of presence: each collection over the days since the one before."""
    rounds = sorted(d for d, tonnage in known.items() if tonnage > 0)
    presence: Known = {}
    for before, taken in itertools.pairwise(rounds):
        if taken - before <= 10:
            presence |= dict.fromkeys(range(before, taken), known[taken] / (taken - before))
    # A round that paused for more than five weeks starts afresh: what it took before is not used.
    pauses = [b for a, b in itertools.pairwise(rounds) if b - a > 35]
    return {d: p for d, p in presence.items() if d >= max(pauses, default=0)}


def waste(sites: dict[str, Known], asked: int, target: int) -> list[float]:
    collected = [d for known in sites.values() for d, tonnage in known.items() if tonnage > 0]
    if not collected:
        return [NAN] * 5
    newest = max(collected)
    if asked - newest > 35:
        return [NAN] * 4 + [asked - newest]
    same = next(d for d in range(newest - 1, newest - 8, -1) if d % 7 == target % 7)
    week, month, weekday, year = [], [], [], []
    for known in sites.values():
        presence = {d: p for d, p in thrown_away(known).items() if newest - d <= 91}
        normal = over(presence, newest - 8, 56)
        week += [(presence[d], normal) for d in range(newest - 7, newest) if d in presence]
        weekday += [(presence[d], normal) for d in (same,) if d in presence]
        normal = over(presence, newest - 29, 56)
        month += [(presence[d], normal) for d in range(newest - 28, newest) if d in presence]
        year += [(over(known, newest, 14), over(known, newest - 364, 14))]

    def total(pairs: list[tuple[float, float]]) -> float:
        whole = [(a, b) for a, b in pairs if not np.isnan(a + b)]
        return ratio(sum(a for a, _ in whole), sum(b for _, b in whole))

    return [total(week), total(month), total(weekday), total(year), asked - newest]


# --- the comparison -----------------------------------------------------------------------------


def answers(source: Source, rows: pd.DataFrame, grid: Grid) -> np.ndarray:
    check(rows.dropna(), OBSERVATIONS)
    return build(grid, Evidence(rows, TERRITORY), [source]).values


def agree(source: Source, found: np.ndarray, grid: Grid, expected: list[list[float]]) -> None:
    names = [feature.name for feature in source.features]
    for name, column, wanted in zip(names, found, np.array(expected).T, strict=True):
        np.testing.assert_allclose(column, wanted, rtol=2e-5, atol=1e-5, err_msg=name)
    assert len(grid) == found.shape[1]


@pytest.mark.parametrize("day", [FIRST - 20, FIRST + 87, FIRST + 126, FIRST + 350])
def test_a_day_is_likened_to_the_same_day_wherever_the_span_begins(day: int) -> None:
    """Otherwise an answer would depend on the first row of the table, readable or not."""
    for first, days in ((day, 1), (day - 3, 40)):
        at = slice(day - SPAN[0], day - SPAN[0] + days - (day - first))
        after = day - first
        np.testing.assert_array_equal(run_days(TERRITORY, first, days)[:, after:], SPECIAL[:, at])
        np.testing.assert_array_equal(analogue_days(TERRITORY, first, days)[:, after:], LIKE[:, at])


@thoroughly
@given(seed=SEEDS)
def test_history(seed: int) -> None:
    rng = np.random.default_rng(seed)
    days = int(rng.choice([20, 120, 800, 900]))
    level = rng.choice([0.4, 900.0])
    shut = FIRST + rng.integers(0, days) + np.arange(rng.choice([0, 6, 7, 30]))

    def draw(day: Ints) -> Doubles:
        return np.where(np.isin(day, shut), 0, rng.poisson(level * (1 + (day % 7 > 4))))

    rows = random_rows(rng, "influx", "influx", days, draw)
    grid = random_grid(rng, days)
    expected = [
        history(summed(latest(rows, zone, origin)), zone, asked, target)
        for zone, origin, asked, target in questions(grid)
    ]
    agree(HISTORY, answers(HISTORY, rows, grid), grid, expected)


@pytest.mark.parametrize(
    ("source", "variable", "full"),
    [(MOBILITY, "count", np.inf), (PARKING, "occupancy", FULL)],
    ids=["mobility", "parking"],
)
@thoroughly
@given(seed=SEEDS)
def test_sensors(source: Source, variable: str, full: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    days = int(rng.choice([25, 130]))
    # Few distinct values, so that zeros, ties, stuck sensors and full car parks are common.
    steps = np.array([0.0, 0.3, 0.35, 0.9, 1.0]) if rng.random() < 0.7 else rng.random(40)
    likely = rng.dirichlet(np.full(len(steps), 0.4))
    rows = random_rows(
        rng, source.name, variable, days, lambda day: rng.choice(steps, len(day), p=likely)
    )
    grid = random_grid(rng, days)
    expected = [
        sensors(latest(rows, zone, origin), asked, target, full)[: len(source.features)]
        for zone, origin, asked, target in questions(grid)
    ]
    agree(source, answers(source, rows, grid), grid, expected)


@thoroughly
@given(seed=SEEDS)
def test_waste(seed: int) -> None:
    rng = np.random.default_rng(seed)
    days = int(rng.choice([60, 480]))
    cycle = int(rng.choice([14, 28, 38]))
    rounds = rng.choice(cycle, int(rng.integers(1, 14)), replace=False)

    def tonnage(day: Ints) -> Doubles:
        other = rng.choice([0.0, NAN], len(day))
        return np.where(np.isin(day % cycle, rounds), rng.gamma(4.0, size=len(day)), other)

    rows = random_rows(rng, "waste", "tonnage", days, tonnage)
    grid = random_grid(rng, days)
    expected = [
        waste(latest(rows, zone, origin), asked, target)
        for zone, origin, asked, target in questions(grid)
    ]
    agree(WASTE, answers(WASTE, rows, grid), grid, expected)


@thoroughly
@given(seed=SEEDS)
def test_events(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = random_rows(rng, "events", "attendance", 90, lambda day: rng.integers(0, 9000, len(day)))
    rows["available_at"] -= pd.Timedelta(days=20)  # announced before
    grid = random_grid(rng, 90)
    expected = []
    for zone, origin, _, target in questions(grid):
        announced = summed(latest(rows, zone, origin))
        people = dict(zip(ZONES, TERRITORY.population, strict=True)).get(zone, NAN)
        expected.append([announced.get(target + k, 0.0) / people for k in (0, -1, 1)])
    agree(EVENTS, answers(EVENTS, rows, grid), grid, expected)


@thoroughly
@given(seed=SEEDS)
def test_weather(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one_place = ("", "", "")  # of rows for one day and instant, the last in the table counts
    observed, ahead = (
        random_rows(
            rng, source, "temperature_max", 90, lambda day: rng.normal(15, 8, len(day)), one_place
        )
        for source in ("weather", "weather_forecast")
    )
    ahead["available_at"] -= pd.to_timedelta(rng.integers(1, 16, len(ahead)), unit="D")
    rows = pd.concat([observed, ahead]).sample(frac=1, random_state=seed)
    grid = random_grid(rng, 90)
    expected = []
    for zone, origin, asked, target in questions(grid):
        issued = latest(rows[rows["source"] == "weather_forecast"], zone, origin).get("", {})
        past = latest(rows[rows["source"] == "weather"], zone, origin).get("", {})
        readable = rows[
            (rows["source"] == "weather_forecast")
            & (rows["zone_id"] == zone)
            & (rows["date"] == day_date([target])[0])
            & (rows["available_at"] <= origin)
        ].dropna()
        age = (origin - readable["available_at"].max()) / pd.Timedelta(days=1)
        newest = max(past, default=-1000)
        fresh = past if asked - newest <= 35 else {}
        week, month = over(fresh, newest, 7), over(fresh, newest, 28)
        at_target = issued.get(target, NAN)
        expected.append(
            [
                at_target,
                issued.get(target - 1, NAN),
                issued.get(target + 1, NAN),
                age,
                week,
                month,
                at_target - month,
            ]
        )
    source = Weather({"temperature_max": "°C"})
    agree(source, answers(source, rows, grid), grid, expected)
