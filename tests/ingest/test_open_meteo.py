"""Open-Meteo, from a server of the loopback that answers as the real one does, to a real lake."""

from __future__ import annotations

import itertools
import json
import tomllib
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.config import RunConfig
from forecast.errors import ConfigError, ProviderError
from forecast.ingest.configured import configured
from forecast.ingest.fetching import Fetcher
from forecast.ingest.http import Client
from forecast.ingest.open_meteo_answers import parse_hourly, parse_run
from forecast.ingest.places import Places
from forecast.ingest.provider import Span
from forecast.ingest.samples import Samples
from forecast.ingest.state import Fetches
from forecast.lake import Lake

TERRITORY = """\
id = "test"
name = "Territoire d'essai"
[[zones]]
id = "200069532"
name = "Lisieux"
population = 70000
latitude = 49.1
longitude = 0.2
[[zones]]
id = "01234"
name = "Honfleur"
population = 20000
latitude = 49.4
longitude = 0.2
coast = true
[providers.meteo]
"""
UNITS = {
    "temperature_2m": "°C",
    "precipitation": "mm",
    "sunshine_duration": "s",
    "wind_gusts_10m": "km/h",
    "sea_surface_temperature": "°C",
    "wave_height": "m",
}
NOW = pd.Timestamp("2026-07-14T08:00Z")
RUN = pd.Timestamp("2026-07-14T00:00Z")
READABLE = pd.Timestamp("2026-07-14T07:24Z")


class World:
    """One territory with one provider, a lake, and what was fetched."""

    def __init__(self, folder, options: str, now: pd.Timestamp, territory: str = TERRITORY) -> None:
        self.now = now
        self.config = RunConfig.model_validate(tomllib.loads(territory + options))
        self.lake = Lake(str(folder / "lake"))
        self.fetcher = Fetcher(
            self.config,
            Places.of(self.config, folder),
            self.lake,
            Fetches(folder / "fetches.sqlite"),
            Samples(folder / "samples.sqlite"),
            lambda: self.now,
            partial(Client, retry_seconds=0.01),
        )

    def run(self, since: str | None = None, until: str | None = None):
        (one,) = configured(self.config)
        return self.fetcher.run(one, self.fetcher.span(one, since, until))

    def keys(self, since: str, until: str) -> list[tuple[str, bool]]:
        (one,) = configured(self.config)
        setting = SimpleNamespace(config=self.config, now=self.now)
        span = Span(pd.Timestamp(since).date(), pd.Timestamp(until).date())
        return [(p.key, p.settled) for p in one.provider.pieces(one.options, span, setting)]

    def values(self, zone: str, variable: str) -> dict[str, float]:
        rows = self.lake.read(zones=[zone], variables=[variable])
        return dict(zip(rows["date"].dt.strftime("%Y-%m-%d"), rows["value"], strict=True))


@pytest.fixture
def world(tmp_path, replay) -> Callable[..., World]:
    def make(kind: str, options: str = "", now: pd.Timestamp = NOW, **more: str) -> World:
        text = f'kind = "{kind}"\nbase_url = "{replay.url}"\n{options}'
        return World(tmp_path, text, now, **more)

    return make


def document(times: np.ndarray, names: list[str], latitude: float, **changes) -> dict:
    """An answer for one place, as the server writes it: values follow the place and the hour."""
    hour = (times // 3600) % 24
    made = {
        "temperature_2m": latitude - 40 + hour,
        "precipitation": np.where(hour == 12, 2.0, 0.1),
        "sunshine_duration": np.where((hour > 6) & (hour < 18), 1800.0, 0.0),
        "wind_gusts_10m": 20.0 + hour,
        "sea_surface_temperature": np.full(len(times), 18.0),
        "wave_height": 0.5 + hour / 100,
    }
    plain = {name: name.partition("_previous_day")[0] for name in names}
    lead = {name: float(name.rpartition("_previous_day")[2]) for name in names if "_day" in name}
    values = {n: (made[plain[n]] + lead.get(n, 0)).round(2).tolist() for n in names}
    return {
        "latitude": round(latitude, 1) + 0.04,
        "longitude": 0.16,
        "generationtime_ms": 0.3,
        "utc_offset_seconds": 0,
        "timezone": "GMT",
        "timezone_abbreviation": "GMT",
        "elevation": 12.0,
        "hourly_units": {"time": "unixtime", **{n: UNITS[plain[n]] for n in names}},
        "hourly": {"time": times.tolist(), **values},
    } | changes


def server(replay, today: pd.Timestamp = NOW, edit: Callable[[list[dict]], object] | None = None):
    """Routes that answer any question for hourly values as asked."""

    def answer(asked):
        query = asked.query
        assert (query["timezone"], query["timeformat"]) == ("GMT", "unixtime")
        first = pd.Timestamp(query.get("start_date") or query.get("run", str(today.date()))[:10])
        if "end_date" in query:
            last = pd.Timestamp(query["end_date"]) + pd.Timedelta(days=1)
        else:
            last = first + pd.Timedelta(days=int(query["forecast_days"]))
        first -= pd.Timedelta(days=int(query.get("past_days", 0)))
        times = np.arange(first.value, last.value, 3600 * 10**9) // 10**9
        names = query["hourly"].split(",")
        places = [float(text) for text in query["latitude"].split(",")]
        documents = [document(times, names, latitude) for latitude in places]
        # A run says nothing of what lies before it; sums begin an hour after it.
        begins = pd.Timestamp(query.get("run", "1970-01-01"), tz="UTC").timestamp()
        for name, part in itertools.product(names, documents):
            before = int((times < begins + (name != "temperature_2m")).sum())
            part["hourly"][name][:before] = [None] * before
        if edit:
            edit(documents)
        whole = documents if len(documents) > 1 else documents[0]
        return replay.Answer(200, json.dumps(whole))

    meta = {
        "last_run_initialisation_time": int(RUN.timestamp()),
        "last_run_availability_time": int(READABLE.timestamp()),
        "update_interval_seconds": 21600,
    }
    paths = ("/v1/forecast", "/v1/archive", "/v1/marine")
    replay.routes |= dict.fromkeys(paths, answer)
    replay.routes["/data/ecmwf_ifs/static/meta.json"] = [replay.Answer(200, json.dumps(meta))]


def test_the_forecast_that_is_out_now(world, replay):
    server(replay)
    one = world("open-meteo")
    done = one.run()
    assert done.ok, done.errors
    assert done.notes == ["run of 2026-07-14 00:00 UTC"]
    asked = replay.requests[0].query
    assert asked["latitude"] == "49.10000,49.40000"  # zones in the order of the configuration
    assert (asked["models"], asked["forecast_days"]) == ("ecmwf_ifs", "16")
    assert len(replay.requests) == 2  # all zones in one call, and the metadata

    rows = one.lake.read()
    assert set(rows["source"]) == {"weather_forecast"}
    assert set(rows["available_at"]) == {READABLE + pd.Timedelta(minutes=10)}
    assert rows["date"].min() == pd.Timestamp("2026-07-14")
    assert rows["date"].max() == pd.Timestamp("2026-07-29")
    # 24 hours of summer time; at 23 UTC the day after has begun, hence 22 h of each date.
    assert one.values("01234", "temperature_max")["2026-07-20"] == pytest.approx(9.4 + 23)
    assert one.values("200069532", "temperature_max")["2026-07-20"] == pytest.approx(9.1 + 23)
    assert one.values("01234", "precipitation")["2026-07-20"] == pytest.approx(2 + 23 * 0.1)
    assert one.values("01234", "precipitation_bathing")["2026-07-20"] == pytest.approx(2 + 0.7)
    assert one.values("01234", "sunshine")["2026-07-20"] == pytest.approx(5.5)
    assert one.values("01234", "wind_gust")["2026-07-20"] == pytest.approx(43)

    one.now = NOW + pd.Timedelta(hours=3)
    again = one.run()
    assert (again.new, again.revised) == (0, 0) and again.known == done.new


def test_one_zone_is_answered_by_an_object(world, replay):
    server(replay)
    alone = TERRITORY.replace(TERRITORY[TERRITORY.index("[[zones]]") : TERRITORY.rindex("[[")], "")
    one = world("open-meteo", territory=alone)
    assert one.run().ok
    assert set(one.lake.read()["zone_id"]) == {"01234"}


def test_without_metadata_rows_are_dated_by_the_moment_of_asking(world, replay):
    server(replay)
    replay.routes["/data/ecmwf_ifs/static/meta.json"] = [replay.Answer(200, '{"what": 1}')]
    one = world("open-meteo")
    done = one.run()
    assert done.ok and "for want of metadata" in done.notes[0]
    assert set(one.lake.read()["available_at"]) == {NOW}


def test_a_late_model_is_noted(world, replay):
    server(replay)
    one = world("open-meteo", now=NOW + pd.Timedelta(days=3))
    assert "no newer one for 3.0 days" in one.run().notes[0]


def test_a_run_just_out_is_not_dated_before_it_was_read(world, replay):
    server(replay)
    one = world("open-meteo", now=READABLE + pd.Timedelta(minutes=2))
    assert one.run().ok
    assert set(one.lake.read()["available_at"]) == {READABLE + pd.Timedelta(minutes=2)}


def test_a_missing_hour_is_missing(world, replay):
    def edit(documents):
        times = documents[0]["hourly"]["time"]
        at = times.index(int(pd.Timestamp("2026-07-20T12:00Z").timestamp()))
        documents[0]["hourly"]["precipitation"][at] = None

    server(replay, edit=edit)
    one = world("open-meteo")
    assert one.run().ok
    assert "2026-07-20" not in one.values("200069532", "precipitation")
    assert "2026-07-20" in one.values("200069532", "temperature_max")
    assert "2026-07-20" in one.values("01234", "precipitation")


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda d: d[1]["hourly_units"].update(temperature_2m="°F"), "place 2: temperature_2m is"),
        (lambda d: d[0]["hourly"]["precipitation"].pop(), "expected 408 values"),
        (lambda d: d[0]["hourly"].pop("sunshine_duration"), "sunshine_duration: expected 408"),
        (lambda d: d[0]["hourly"]["wind_gusts_10m"].__setitem__(3, "9.5"), "found '9.5'"),
        (lambda d: d[0]["hourly"]["time"].__setitem__(3, "2026-07-14T03:00"), "in seconds since"),
        (lambda d: d[0]["hourly"]["time"].__setitem__(3, 0), "from hour to hour"),
        (lambda d: d[0].pop("hourly"), "the objects 'hourly'"),
        (lambda d: d.pop(), "of 2 places, the answer holds 1"),
    ],
)
def test_another_answer_than_was_asked_for_is_refused_whole(world, replay, edit, told):
    server(replay, edit=edit)
    one = world("open-meteo")
    done = one.run()
    assert not done.ok and told in done.errors[0]
    assert one.lake.read().empty


def test_what_cannot_be_is_left_out_and_said(world, replay):
    def edit(documents):
        documents[1]["hourly"]["temperature_2m"] = [
            value + 300 for value in documents[1]["hourly"]["temperature_2m"]
        ]

    server(replay, edit=edit)
    one = world("open-meteo")
    done = one.run()
    assert done.ok and done.refused_rows == 32
    assert "expected -60 to 60 °C" in done.refused[0]
    assert not one.values("01234", "temperature_max")
    assert one.values("01234", "precipitation") and one.values("200069532", "temperature_max")


def test_what_the_model_does_not_have_is_missing_and_said(world, replay):
    def edit(documents):
        for part in documents:
            part["hourly_units"]["sunshine_duration"] = "undefined"
            empty = [None] * len(part["hourly"]["time"])
            part["hourly"]["sunshine_duration"] = empty

    server(replay, edit=edit)
    one = world("open-meteo")
    done = one.run()
    assert done.ok and "the model ecmwf_ifs has no sunshine_duration" in done.notes[0]
    assert set(one.lake.read()["variable"]) == {
        *("temperature_max", "temperature_min", "wind_gust"),
        *("precipitation", "precipitation_bathing"),
    }


def test_refusals_say_why(world, replay):
    reason = "Parameter 'start_date' is out of allowed range from 2016-01-01 to 2026-07-30"
    refused = json.dumps({"error": True, "reason": reason})
    replay.routes["/v1/forecast"] = [replay.Answer(400, refused)]
    one = world("open-meteo")
    assert reason in one.run().errors[0]
    replay.routes["/v1/forecast"] = [replay.Answer(200, refused)]
    assert reason in one.run().errors[0]
    told = "Daily API request limit exceeded. Please try again tomorrow."
    replay.routes["/v1/forecast"] = [
        replay.Answer(429, json.dumps({"error": True, "reason": told}))
    ]
    done = one.run()
    assert told in done.errors[0] and done.next_try_at == "2026-07-15T00:00:00Z"
    assert one.lake.read().empty


def test_a_limit_that_is_reached_ends_the_run_and_what_it_has_stays(world, replay):
    server(replay)
    usual = replay.routes["/v1/forecast"]

    def answer(asked):
        if asked.query["run"] < "2026-06-03":
            return usual(asked)
        told = "Hourly API request limit exceeded. Please try again in the next hour."
        return replay.Answer(429, json.dumps({"error": True, "reason": told}))

    replay.routes["/v1/forecast"] = answer
    one = world("open-meteo-archive-runs", now=NOW + pd.Timedelta(minutes=20))
    done = one.run("2026-06-01", "2026-06-30")
    assert not done.ok and done.next_try_at == "2026-07-14T09:00:00Z"
    assert len(replay.requests) == 3  # no more runs are asked for, nor this one again
    assert one.lake.read()["available_at"].nunique() == 2
    replay.routes["/v1/forecast"] = usual
    done = one.run("2026-06-01", "2026-06-04")
    assert done.ok and (done.skipped, done.pieces) == (2, 2)


def test_a_passing_refusal_is_tried_again(world, replay):
    server(replay)
    usual, busy = replay.routes["/v1/forecast"], []

    def answer(asked):
        if len(busy) < 2:
            busy.append(asked)
            told = "Minutely API request limit exceeded. Please try again in one minute."
            status = 429 if len(busy) == 1 else 503
            return replay.Answer(status, json.dumps({"error": True, "reason": told}))
        return usual(asked)

    replay.routes["/v1/forecast"] = answer
    assert world("open-meteo").run().ok


def test_a_stream_that_breaks_leaves_nothing(world, replay):
    body = b'[{"hourly_units": {"time": "unixtime"}, "hourly": {"time": [17'
    replay.routes["/v1/forecast"] = [replay.Answer(200, body + b"0" * 500, truncate=len(body))]
    one = world("open-meteo")
    assert not one.run().ok
    replay.routes["/v1/forecast"] = [
        replay.Answer(200, "Unexpected error while streaming data: timeoutReached")
    ]
    assert "timeoutReached" in one.run().errors[0]
    assert one.lake.read().empty


def test_the_key_is_sent_and_never_shown(world, replay, monkeypatch):
    monkeypatch.setenv("METEO_KEY", "s3cret-key")
    server(replay)
    one = world("open-meteo", 'key_env = "METEO_KEY"\n')
    assert one.run().ok
    assert {asked.query["apikey"] for asked in replay.requests} == {"s3cret-key"}
    replay.routes["/v1/forecast"] = [replay.Answer(400, '{"reason": "bad apikey s3cret-key"}')]
    told = one.run()
    assert not told.ok and "s3cret" not in repr(told)
    monkeypatch.delenv("METEO_KEY")
    missing = one.run()
    assert missing.exit_code == 2 and "METEO_KEY" in missing.errors[0]


@pytest.mark.parametrize("kind", ["open-meteo", "open-meteo-archive-runs", "open-meteo-observed"])
def test_the_stitched_archive_is_refused_by_name(tmp_path, kind):
    url = "https://historical-forecast-api.open-meteo.com"
    one = World(tmp_path, f'kind = "{kind}"\nbase_url = "{url}"\n', NOW)
    with pytest.raises(ConfigError, match="not a forecast as issued"):
        configured(one.config)


def test_runs_as_they_were_issued(world, replay):
    server(replay)
    one = world("open-meteo-archive-runs", "publication_hours = 6.5\nrun_hours = [0, 12]\n")
    done = one.run("2026-03-28", "2026-03-29")
    assert done.ok, done.errors
    assert [asked.query["run"] for asked in replay.requests] == [
        "2026-03-28T00:00", "2026-03-28T12:00", "2026-03-29T00:00", "2026-03-29T12:00",
    ]  # fmt: skip
    rows = one.lake.read()
    runs = rows["available_at"] - pd.Timedelta(hours=6.5)
    assert set(runs) == set(pd.date_range("2026-03-28", periods=4, freq="12h", tz="UTC"))
    # Nothing is known before the run, nor said of a day that was over when it began.
    assert (
        rows["date"] >= runs.dt.tz_convert("Europe/Paris").dt.tz_localize(None).dt.normalize()
    ).all()
    # 29 March has 23 hours; its own runs have not seen them all, and say nothing of its rain.
    rain = rows[(rows["variable"] == "precipitation") & (rows["zone_id"] == "01234")]
    changed = rain[rain["date"] == "2026-03-29"]
    assert changed["value"].tolist() == pytest.approx([2 + 22 * 0.1] * 2)
    assert changed["available_at"].max() == pd.Timestamp("2026-03-28T18:30Z")

    before = len(replay.requests)
    again = one.run("2026-03-28", "2026-03-30")
    assert again.skipped == 4 and len(replay.requests) == before + 2


def test_a_run_is_asked_for_once_it_can_be_read(world):
    one = world("open-meteo-archive-runs")
    model = "ecmwf_ifs"
    one.now = pd.Timestamp("2026-07-14T06:59Z")
    assert one.keys("2026-07-12", "2026-07-14") == [
        (f"{model}/2026-07-12T00:00", True),
        (f"{model}/2026-07-13T00:00", True),
    ]
    one.now = pd.Timestamp("2026-07-14T07:00Z")
    assert one.keys("2026-07-14", "2026-07-14") == [(f"{model}/2026-07-14T00:00", False)]
    assert one.keys("2024-02-01", "2024-03-01") == [(f"{model}/2024-03-01T00:00", True)]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, '{"error": true, "reason": "The requested model run is not available."}'),
        (200, 'Unexpected error while streaming data: modelRunUnavailable(model: ecmwf_ifs)'),
    ],
)  # fmt: skip
def test_a_run_that_is_not_there_stops_no_other(world, replay, status, body):
    server(replay)
    usual = replay.routes["/v1/forecast"]

    def answer(asked):
        if asked.query["run"] == "2026-06-02T00:00":
            return replay.Answer(status, body)
        return usual(asked)

    replay.routes["/v1/forecast"] = answer
    one = world("open-meteo-archive-runs")
    done = one.run("2026-06-01", "2026-06-03")
    assert done.ok and done.pieces == 3
    assert done.notes == ["the archive of ecmwf_ifs has no run of 2026-06-02T00:00 UTC"]
    assert one.lake.read()["available_at"].nunique() == 2
    one.now = pd.Timestamp("2026-06-02T12:00Z")  # as seen on the day: it should be there
    late = world("open-meteo-archive-runs", "run_hours = [0]\n", now=one.now)
    late.fetcher.fetches.forget("meteo")
    assert not late.run("2026-06-02", "2026-06-02").ok


def test_previous_runs_are_dated_late_rather_than_early(world, replay):
    server(replay)
    one = world("open-meteo-previous-runs", "publication_hours = 6\n")
    done = one.run("2026-03-01", "2026-03-31")
    assert done.ok, done.errors
    assert len(replay.requests) == 1
    rows = one.lake.read(variables=["temperature_max"], zones=["01234"], since="2026-03-29")
    day = rows[rows["date"] == "2026-03-29"].sort_values("available_at")
    # The day ends at 22 UTC; the values of lead n come from runs begun n times 24 hours before it.
    ends = pd.Timestamp("2026-03-29T22:00Z")
    leads = [7, 6, 5, 4, 3, 2, 1]
    assert day["available_at"].tolist() == [
        ends - pd.Timedelta(hours=24 * lead - 6) for lead in leads
    ]
    assert day["value"].tolist() == pytest.approx([9.4 + 23 + lead for lead in leads])


def test_previous_runs_of_a_month_that_goes_on(world, replay):
    server(replay)
    one = world("open-meteo-previous-runs")
    assert one.keys("2026-06-15", "2026-07-14") == [
        ("best_match/2026-06", True), ("best_match/2026-07", False),
    ]  # fmt: skip
    assert one.keys("2023-11-01", "2024-01-31") == [("best_match/2024-01", True)]
    assert one.run("2026-07-01", "2026-07-14").ok
    assert one.lake.read()["available_at"].max() <= NOW


def test_past_weather_is_known_days_later(world, replay):
    server(replay)
    one = world("open-meteo-observed")
    done = one.run("2026-06-20", "2026-07-14")
    assert done.ok, done.errors
    asked = [(a.query["start_date"], a.query["end_date"]) for a in replay.requests]
    assert asked == [("2026-05-31", "2026-06-30"), ("2026-06-30", "2026-07-07")]
    rows = one.lake.read()
    assert set(rows["source"]) == {"weather"}
    assert rows["date"].min() == pd.Timestamp("2026-06-01")  # months are fetched whole
    assert rows["date"].max() == pd.Timestamp("2026-07-07")
    last = rows[rows["date"] == "2026-07-07"]
    assert set(last["available_at"]) == {pd.Timestamp("2026-07-13T22:00Z")}
    assert (rows["available_at"] <= NOW).all()
    assert len(rows) == 2 * 37 * 7  # every day whole
    again = one.run("2026-06-20", "2026-07-14")
    assert (again.skipped, again.new, again.revised) == (1, 0, 0)


def test_past_weather_that_changes_is_a_revision(world, replay):
    server(replay)
    one = world("open-meteo-observed")
    assert one.run("2026-07-01", "2026-07-14").ok
    server(replay, edit=lambda d: d[0]["hourly"]["wind_gusts_10m"].__setitem__(40, 99.0))
    assert one.run("2026-07-01", "2026-07-14").revised == 1
    assert one.lake.snapshot(NOW - pd.Timedelta(hours=1))["value"].max() < 99


@pytest.mark.parametrize(
    ("day", "rain"), [("2026-03-29", 22), ("2025-10-25", 23), ("2025-10-26", 24)]
)
def test_days_on_which_the_clocks_change(world, replay, day, rain):
    server(replay)
    one = world("open-meteo-observed")
    assert one.run(day, day).ok
    assert one.values("01234", "precipitation")[day] == pytest.approx(2 + rain * 0.1)


def test_the_sea_is_asked_for_where_there_is_one(world, replay):
    server(replay)
    one = world("open-meteo-marine")
    assert one.run("2026-07-01", "2026-07-14").ok
    assert replay.requests[0].query["latitude"] == "49.40000"
    assert one.values("01234", "sea_temperature")["2026-07-12"] == 18
    assert one.values("01234", "wave_height")["2026-07-12"] == pytest.approx(0.73)
    inland = world("open-meteo-marine", territory=TERRITORY.replace("coast = true\n", ""))
    assert inland.keys("2026-07-01", "2026-07-14") == []


HOURS = (1_784_000_000 // 3600 + np.arange(30)) * 3600
PLACES = [document(HOURS, [*UNITS], latitude) for latitude in (49.1, 49.4)]
JUNK = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
ANY = st.recursive(
    JUNK, lambda s: st.lists(s, max_size=3) | st.dictionaries(st.text(), s, max_size=3)
)


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=200) | ANY.map(lambda made: json.dumps(made).encode()))
def test_whatever_comes_is_read_or_refused(body):
    for read in (
        partial(parse_hourly, units=UNITS, places=2, where="x"),
        partial(parse_run, where="x"),
    ):
        try:
            read(body)
        except ProviderError:
            continue


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_a_damaged_answer_is_read_or_refused(data):
    whole = json.loads(json.dumps(PLACES))
    part = whole[data.draw(st.integers(0, 1))]
    table = part[data.draw(st.sampled_from(["hourly", "hourly_units"]))]
    key = data.draw(st.sampled_from(sorted(table)))
    junk = data.draw(ANY)
    if isinstance(table[key], list) and data.draw(st.booleans()):
        table[key][data.draw(st.integers(0, 29))] = junk
    else:
        table[key] = junk
    text = json.dumps(whole).encode()
    cut = data.draw(st.sampled_from([len(text), len(text) // 2]))
    try:
        found = parse_hourly(text[:cut], UNITS, 2, "x")
    except ProviderError as error:
        assert str(error).startswith("x")
    else:
        assert all(values.shape == (2, 30) for values in found.values.values())
        assert not any(np.isinf(values).any() for values in found.values.values())
