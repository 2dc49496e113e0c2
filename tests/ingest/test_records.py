"""No record, however odd, breaks the reading of the others."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from forecast.config import RunConfig
from forecast.errors import ProviderError
from forecast.ingest.mapping import Mapped
from forecast.ingest.places import Places
from forecast.ingest.provider import Setting, Span
from forecast.ingest.records import to_batch

CONFIG = RunConfig.model_validate(
    {
        "id": "test",
        "name": "Essai",
        "geometry": "estuaire.geojson",
        "zones": [{"id": "241400415", "name": "Cœur Côte Fleurie", "population": 20687,
                   "latitude": 49.359, "longitude": 0.075}],
    }
)  # fmt: skip
PLACES = Places.of(CONFIG, Path("nowhere"))
SPAN = Span(date(2026, 3, 1), date(2026, 11, 30))
GOOD = {"t": "2026-08-10T10:00:00Z", "p": {"lat": 49.359, "lon": 0.075}, "s": "A", "n": 5}


def setting() -> Setting:
    now = pd.Timestamp("2026-12-01T00:00Z")
    return Setting("x", CONFIG, PLACES, SimpleNamespace(), now)  # type: ignore[arg-type]


def mapped(**more: Any) -> Mapped:
    return Mapped.model_validate(
        {"source": "mobility", "date_field": "t", "point_field": "p", "site_field": "s",
         "values": {"count": "n"}} | more
    )  # fmt: skip


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["2026-08-10", "2026-08-10T10:00", "0000-00-00", "2026-10-25T02:30:00+02:00",
                       "1e5", "12,5", "49.3,0.07", 10**400, "٣"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["lat", "lon", "x"]), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys("tpsn", ODD)), max_size=4))
def test_odd_records_do_not_stop_a_good_one(odd: list[dict[str, Any]]) -> None:
    batch = to_batch([*odd, GOOD], mapped(), SPAN, setting(), "here")
    rows = batch.observations
    good = rows[(rows["site_id"] == "A") & (rows["date"] == "2026-08-10")]
    assert len(good) == 1 or any(record.get("s") == "A" for record in odd)
    assert len(rows) <= len(odd) + 1
    assert all(line.startswith("here: record ") for line in batch.refused)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("tpsn"), ODD, max_size=4), max_size=3))
def test_records_alone_are_read_or_refused(odd: list[dict[str, Any]]) -> None:
    try:
        to_batch(odd, mapped(), SPAN, setting(), "here")
    except ProviderError as error:
        assert "no record has the field" in str(error)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_days_of_23_and_25_hours(day: str, hours: int) -> None:
    start = pd.Timestamp(day, tz="Europe/Paris").tz_convert("UTC")
    instants = [(start + pd.Timedelta(hours=h)).isoformat() for h in range(-1, hours + 1)]
    records = [{**GOOD, "t": instant, "n": 1} for instant in instants]
    batch = to_batch(records, mapped(), SPAN, setting(), "here")
    found = batch.observations.set_index("date")["value"]
    assert found[pd.Timestamp(day)] == hours
    assert list(found) == [1, hours, 1]
    assert "set min_records, or a day of which some records are absent" in batch.note
    fewer = to_batch(records[:-2], mapped(min_records=hours), SPAN, setting(), "here")
    assert len(fewer.observations) == 0
    assert "set min_records" not in fewer.note


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"source": "weather"}, "expected one of influx, mobility, parking, waste, events"),
        ({"values": {"counts": "n"}}, "values.counts: mobility has no such variable"),
        ({"values": {}}, "at least 1"),
        ({"values": {"count": {"field": "n", "free": "f", "capacity": "c"}}}, "either field, or"),
        ({"values": {"count": {"free": "f"}}}, "both free and capacity"),
        ({"values": {"count": {"field": "n", "hours": [19, 9]}}}, "the first before the last"),
        ({"values": {"count": {"field": "n", "factor": -1}}}, "factor: expected a number above 0"),
        ({"values": {"count": {"field": "n", "unit": "t"}}}, "Extra inputs"),
        ({"zone": "241400415"}, "expected one of zone_field, point_field and zone"),
        ({"point_field": ""}, "expected one of zone_field, point_field and zone"),
        ({"site_field": ""}, "site_field: mobility needs the name of a site_id"),
        ({"end_field": "fin"}, "end_field is for events"),
        ({"date_field": "a b"}, "'a b' is no name of a field"),
    ],
)
def test_a_mapping_that_cannot_work_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        mapped(**options)
    assert said in str(caught.value)
