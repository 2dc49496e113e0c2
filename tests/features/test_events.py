"""Events count from their announcement, as announced."""

from __future__ import annotations

import pandas as pd
import pytest

from forecast.features import Evidence, build
from forecast.features.base import sample_rows
from forecast.features.events import SOURCE


@pytest.fixture
def rows(world) -> pd.DataFrame:
    """Two days for 9,000 announced on 1 May, then for 6,000 on 5 May; a second event on one."""

    def announced(name: str, attendance: list[float], first: str, when: str) -> pd.DataFrame:
        zone = world.territory.zone_ids[1]
        rows = sample_rows(
            "events", "attendance", attendance, zone_id=zone, site_id=name, first=first
        )
        return rows.assign(available_at=pd.Timestamp(when, tz="UTC"))

    return pd.concat(
        [
            announced("regatta", [9000, 9000], "2025-05-10", "2025-05-01"),
            announced("regatta", [6000, 6000], "2025-05-10", "2025-05-05"),
            announced("market", [1000], "2025-05-11", "2025-05-05"),
            announced("market", [0], "2025-05-11", "2025-05-08"),
        ]
    )


@pytest.mark.parametrize(
    ("origin", "first", "second"),
    [
        ("2025-04-30T23:59Z", 0, 0),
        ("2025-05-01T00:00Z", 9000, 9000),
        ("2025-05-04T23:00Z", 9000, 9000),
        ("2025-05-05T00:00Z", 6000, 7000),
        ("2025-05-08T12:00Z", 6000, 6000),
    ],
)
def test_as_announced_at_the_origin(origin: str, first: int, second: int, rows, world) -> None:
    found = build(world.grid(origin), Evidence(rows, world.territory), [SOURCE])
    table = found.frame().set_index(["zone_id", "target_date"])
    population = world.territory.population[1]
    for zone in world.territory.zone_ids:
        here = zone == world.territory.zone_ids[1]
        for day, before, on, after in (
            ("2025-05-09", 0, 0, first),
            ("2025-05-10", 0, first, second),
            ("2025-05-11", first, second, 0),
            ("2025-05-12", second, 0, 0),
        ):
            if (zone, pd.Timestamp(day)) not in table.index:
                continue
            row = table.loc[(zone, pd.Timestamp(day))]
            assert row["events_attendance"] == pytest.approx(here * on / population)
            assert row["events_before"] == pytest.approx(here * before / population)
            assert row["events_after"] == pytest.approx(here * after / population)
