"""The runner of providers: resuming, repeating, failing alone; and what it refuses to store."""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from forecast.config import RunConfig
from forecast.errors import InputError, LakeError, ProviderError, SchemaError
from forecast.ingest.configured import Configured, configured
from forecast.ingest.facts import facts, no_facts
from forecast.ingest.fetching import Fetcher, due
from forecast.ingest.http import Client
from forecast.ingest.places import Places
from forecast.ingest.provider import About, Batch, Options, Piece, Setting, Span
from forecast.ingest.samples import Samples
from forecast.ingest.screening import screened
from forecast.ingest.state import Attempt, Fetches, iso
from forecast.lake import Lake

NOW = pd.Timestamp("2026-08-20T06:00Z")
ZONE = {"id": "z1", "name": "Une", "population": 1000, "latitude": 49.3, "longitude": 0.1}
RECORDS = "/api/explore/v2.1/catalog/datasets/velos/records"


def table(url: str, **more: Any) -> dict[str, Any]:
    return {
        "kind": "opendatasoft", "base_url": url, "dataset": "velos", "source": "mobility",
        "date_field": "jour", "zone": "z1", "site_field": "site", "values": {"count": "nb"},
        "window_days": 7, "settled_days": 3, "history_days": 28,
    } | more  # fmt: skip


def config_of(providers: dict[str, Any]) -> RunConfig:
    return RunConfig.model_validate(
        {"id": "test", "name": "Essai", "zones": [ZONE], "providers": providers}
    )


def fetcher(path: Path, config: RunConfig, now: pd.Timestamp = NOW) -> Fetcher:
    return Fetcher(
        config=config,
        places=Places.of(config, path),
        lake=Lake(str(path / "lake")),
        fetches=Fetches(path / "fetches.sqlite"),
        samples=Samples(path / "samples.sqlite"),
        clock=lambda: now,
        client=functools.partial(Client, retry_seconds=0.01, tries=2),
    )


def weekly(replay: Any) -> Any:
    """A route that answers one count for the first whole day of each window."""

    def route(asked: Any) -> Any:
        before = date.fromisoformat(asked.query["where"].split("'")[1])
        day = date.fromordinal(before.toordinal() + 1)
        record = {"jour": day.isoformat(), "site": "S", "nb": day.toordinal() % 1000}
        return replay.Answer(body=json.dumps({"total_count": 1, "results": [record]}))

    return route


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from test_fetching import config_of, fetcher, table
from forecast.ingest.configured import configured
from forecast.ingest.state import Fetches

def dies_before_the_third(self, *arguments, **more):
    if len(stored) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    stored.append(arguments)
    return keep(self, *arguments, **more)

stored, keep = [], Fetches.stored
Fetches.stored = dies_before_the_third
config = config_of({"velos": table(sys.argv[1])})
runner, (one,) = fetcher(Path(sys.argv[2]), config), configured(config)
runner.run(one, runner.span(one))
"""


def test_a_killed_run_goes_on_where_it_was(replay: Any, tmp_path: Path) -> None:
    """Killed after the third piece is in the lake, before it is recorded."""
    replay.routes[RECORDS] = weekly(replay)
    here = str(Path(__file__).parent)
    died = subprocess.run(
        [sys.executable, "-c", KILLED, replay.url, str(tmp_path), here],
        capture_output=True,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    asked = [request.query["where"] for request in replay.requests]
    assert len(asked) == 3
    config = config_of({"velos": table(replay.url)})
    runner, (one,) = fetcher(tmp_path, config), configured(config)
    assert len(runner.lake.read()) == 3
    assert [attempt.ended_at for attempt in runner.fetches.attempts("velos")] == [None]
    replay.requests.clear()
    done = runner.run(one, runner.span(one))
    again = [request.query["where"] for request in replay.requests]
    assert again[0] == asked[2]
    assert set(again).isdisjoint(asked[:2])
    assert (done.skipped, done.pieces, done.new, done.known) == (2, 3, 2, 1)
    rows = runner.lake.read()
    assert len(rows) == 5
    assert not rows.duplicated(["site_id", "date"]).any()
    assert runner.fetches.last_success("velos") == runner.fetches.attempts("velos")[0]
    assert len(runner.fetches.attempts()) == 2


def test_a_lake_made_anew_is_filled_anew(replay: Any, tmp_path: Path) -> None:
    replay.routes[RECORDS] = weekly(replay)
    config = config_of({"velos": table(replay.url)})
    runner, (one,) = fetcher(tmp_path, config), configured(config)
    runner.run(one, runner.span(one))
    (tmp_path / "lake").rename(tmp_path / "lost")
    done = fetcher(tmp_path, config).run(one, runner.span(one))
    assert (done.skipped, done.new, len(Lake(str(tmp_path / "lake")).read())) == (0, 5, 5)


def test_one_failure_does_not_stop_the_others_nor_the_other_pieces(
    replay: Any, tmp_path: Path
) -> None:
    answer, good = replay.Answer, weekly(replay)
    turn = iter(range(100))
    replay.routes[RECORDS] = lambda asked: good(asked) if next(turn) != 1 else answer(400, "no")
    down = table(replay.url, dataset="absent")
    config = config_of({"down": down, "velos": table(replay.url)})
    runner = fetcher(tmp_path, config)
    results = [runner.run(one, runner.span(one)) for one in configured(config)]
    failed, partly = results
    assert (failed.exit_code, failed.pieces, len(failed.errors)) == (1, 0, 3)  # and gave up
    assert "answered 404 (no such page)" in failed.errors[0]
    assert (partly.exit_code, partly.pieces, partly.new, len(partly.errors)) == (1, 4, 4, 1)
    assert runner.fetches.attempts("down")[0].error.endswith("(and 2 more)")
    mended = runner.run(configured(config)[1], Span(date(2026, 7, 23), NOW.date()))
    # The piece that failed, and the one that has not settled.
    assert (mended.exit_code, mended.pieces, mended.new, mended.skipped) == (0, 2, 1, 3)


class Told:
    """A provider that gives what it is told to, to test the runner with what no good one gives."""

    kind: ClassVar[str] = "told"
    about: ClassVar[About] = About("", (), "", "", "", "", "")
    options: ClassVar[type[Options]] = Options

    def __init__(self, batches: list[Batch | Exception]) -> None:
        self.batches = batches

    def pieces(self, options: Options, span: Span, setting: Setting) -> Iterator[Piece]:
        for number in range(len(self.batches)):
            yield Piece(f"p{number}", settled=False)

    def fetch(self, piece: Piece, options: Options, setting: Setting, client: Client) -> Batch:
        batch = self.batches[int(piece.key[1:])]
        if isinstance(batch, Exception):
            raise batch
        return batch


def batch(config: RunConfig, rows: list[dict[str, Any]], source: str = "influx") -> Batch:
    name = "influx" if source == "influx" else "temperature_max"
    frame = pd.DataFrame(rows)
    frame["date"] = pd.to_datetime(frame["date"])
    if "available_at" in frame:
        frame["available_at"] = pd.to_datetime(frame["available_at"], utc=True)
    return facts(source, frame, [name], provider="told", config=config)


def tell(path: Path, *batches: Batch | Exception) -> Any:
    config = config_of({})
    runner = fetcher(path, config)
    return runner, runner.run(
        Configured("told", Told(list(batches)), Options(kind="told")),
        Span(date(2026, 8, 1), date(2026, 8, 20)),
    )


def test_what_cannot_be_true_is_left_out_with_a_sentence(tmp_path: Path) -> None:
    config = config_of({})
    rows = [
        {"zone_id": "z1", "date": "2026-08-10", "influx": 5.0},
        {"zone_id": "z9", "date": "2026-08-10", "influx": 6.0},
        {"zone_id": "z1", "date": "2026-08-11", "influx": -1.0},
        {"zone_id": "z1", "date": "2026-08-20", "influx": 7.0},
        {"zone_id": "z1", "date": "2026-08-12", "influx": 7.0, "available_at": "2026-08-12T10:00Z"},
        {"zone_id": "z1", "date": "2026-08-13", "influx": 7.0, "available_at": "2026-08-21T10:00Z"},
        {"zone_id": "z1", "date": "2026-08-14", "influx": 7.0},
        {"zone_id": "z1", "date": "2026-08-14", "influx": 8.0},
        {"zone_id": "z1", "date": "2026-08-15", "influx": 9.0},
        {"zone_id": "z1", "date": "2026-08-15", "influx": 9.0},
    ]
    runner, done = tell(tmp_path, batch(config, rows))
    assert done.errors == []
    assert list(runner.lake.read()["value"]) == [5.0, 9.0]
    assert done.refused_rows == 7
    assert [line.rpartition(": ")[2] for line in done.refused] == [
        "no such zone in the configuration",
        "expected 0 to 5,000,000 visitors day⁻¹",
        "its day is not over",
        "said to be known before its day was over",
        "said to be known later than now",
        "the provider gives several values for it",
        "the provider gives several values for it",
    ]
    assert done.refused[1].startswith("influx, zone z1, 2026-08-11: influx = -1")


def test_a_fault_in_the_code_of_a_provider_is_its_own(tmp_path: Path) -> None:
    config = config_of({})
    good = batch(config, [{"zone_id": "z1", "date": "2026-08-10", "influx": 5.0}])
    short = Batch(good.observations, np.zeros(3, dtype=bool))
    strange = good.observations.assign(variable=pd.Categorical(["wind"]))
    runner, done = tell(tmp_path, KeyError("nb"), good, short, Batch(strange, good.derived), good)
    assert done.errors[0] == "p0: unexpected KeyError: 'nb'"
    assert "3 flags `derived` for 1 observations" in done.errors[1]
    assert "'influx' has no variable 'wind'" in done.errors[2]
    assert (done.pieces, done.new, done.known, done.exit_code) == (2, 1, 1, 1)
    assert runner.fetches.attempts("told")[0].ok is False


def test_a_correction_without_its_instant_is_known_from_now(tmp_path: Path) -> None:
    config = config_of({})
    stated = {"zone_id": "z1", "date": "2026-08-10", "available_at": "2026-08-12T10:00Z"}
    other = {
        "zone_id": "z1",
        "date": "2026-08-11",
        "influx": 1.0,
        "available_at": "2026-08-13T10:00Z",
    }
    runner, done = tell(
        tmp_path,
        batch(config, [{**stated, "influx": 5.0}]),
        batch(config, [{**stated, "influx": 6.0}, other]),
        batch(config, [{**stated, "influx": 6.0}]),
    )
    assert (done.errors, done.refused) == ([], [])
    assert (done.new, done.revised, done.known) == (2, 1, 1)
    rows = runner.lake.read()
    assert list(rows["value"]) == [5.0, 1.0, 6.0]
    assert rows["available_at"].iloc[2] == NOW


def test_a_run_of_a_weather_forecast_is_not_rewritten(tmp_path: Path) -> None:
    config = config_of({})
    run = {"zone_id": "z1", "date": "2026-08-22", "available_at": "2026-08-19T06:00Z"}
    newer = {**run, "available_at": "2026-08-20T06:00Z", "temperature_max": 25.0}
    runner, done = tell(
        tmp_path,
        batch(config, [{**run, "temperature_max": 20.0}, newer], "weather_forecast"),
        batch(config, [{**run, "temperature_max": 21.0}, newer], "weather_forecast"),
    )
    assert (done.errors, done.new, done.known, done.revised) == ([], 2, 1, 0)
    assert done.refused == [
        "weather_forecast, zone z1, 2026-08-22: temperature_max = 21: "
        "the same run was stored with 20"
    ]
    assert list(runner.lake.read()["value"]) == [20.0, 25.0]


class Marked(Told):
    """A provider that asks for what changed, and fails over its first answer."""

    def fetch(self, piece: Piece, options: Options, setting: Setting, client: Client) -> Batch:
        answer = client.get(self.url, conditional=True)
        if self.fails:
            self.fails = False
            raise ProviderError("the answer makes no sense")
        self.unchanged.append(answer.unchanged)
        return no_facts()

    def __init__(self, url: str) -> None:
        super().__init__([no_facts()])
        self.url, self.fails, self.unchanged = url, True, []


def test_an_answer_that_was_not_stored_is_not_taken_for_known(replay: Any, tmp_path: Path) -> None:
    def route(asked: Any) -> Any:
        same = asked.headers.get("if-none-match") == '"v1"'
        return replay.Answer(304) if same else replay.Answer(headers={"ETag": '"v1"'})

    replay.routes["/x"] = route
    config, provider = config_of({}), Marked(f"{replay.url}/x")
    runner, one = fetcher(tmp_path, config), Configured("m", provider, Options(kind="told"))
    span = Span(NOW.date(), NOW.date())
    assert [runner.run(one, span).exit_code for _ in range(3)] == [1, 0, 0]
    assert provider.unchanged == [False, True]


def test_the_order_of_providers_does_not_matter(replay: Any, tmp_path: Path) -> None:
    replay.routes[RECORDS] = weekly(replay)
    other = table(replay.url, values={"count": {"field": "nb", "factor": 2}}, zone="z1")
    config = config_of({"a": table(replay.url), "b": {**other, "where": "nb > 1"}})
    found = []
    for order in (1, -1):
        path = tmp_path / str(order)
        path.mkdir()
        runner = fetcher(path, config)
        for one in configured(config)[::order]:
            assert runner.run(one, runner.span(one)).ok
        rows = runner.lake.read().drop(columns="available_at")
        found.append(rows.sort_values(["date", "value"]).astype(str).values.tolist())
    # The two contradict each other on purpose: both stay, whoever came first.
    assert found[0] == found[1]
    assert len(found[0]) == 10


def test_spans_and_who_is_due(tmp_path: Path) -> None:
    config = config_of({"velos": table("http://127.0.0.1:9", every_hours=6)})
    runner, (one,) = (
        fetcher(tmp_path, config, pd.Timestamp("2026-08-19T22:30Z")),
        configured(config),
    )
    assert runner.span(one) == Span(date(2026, 7, 23), date(2026, 8, 20))
    assert runner.span(one, "2026-01-01", "2026-01-31") == Span(date(2026, 1, 1), date(2026, 1, 31))
    with pytest.raises(InputError, match="--since '1/1' is no day"):
        runner.span(one, "1/1")
    with pytest.raises(InputError, match="--since 2026-02-01 comes after --until 2026-01-31"):
        runner.span(one, "2026-02-01", "2026-01-31")
    assert due([one], runner.fetches, NOW) == (one,)
    runner.run(one, Span(date(2026, 8, 10), date(2026, 8, 10)))
    started = pd.Timestamp("2026-08-19T22:30Z")
    assert due([one], runner.fetches, started + pd.Timedelta(minutes=20)) == ()
    assert due([one], runner.fetches, started + pd.Timedelta(minutes=61)) == (one,)


def test_old_attempts_are_forgotten_but_for_the_last_success(tmp_path: Path) -> None:
    fetches = Fetches(tmp_path / "fetches.sqlite")
    for days_ago, ok in ((900, True), (800, True), (700, False), (399, False)):
        began = NOW - pd.Timedelta(days=days_ago)
        number = fetches.begin("a", began)
        fetches.end(number, Attempt("a", iso(began), iso(began), ok=ok))
    assert [tried.started_at[:4] for tried in fetches.attempts()] == ["2025", "2024", "2024"]
    fetches.begin("b", NOW)
    left = [NOW - pd.Timedelta(days=days) for days in (399, 800)]
    assert [tried.started_at for tried in fetches.attempts("a")] == [iso(at) for at in left]
    success = fetches.last_success("a")
    assert success is not None
    assert success.started_at == iso(left[1])


RACE = """
import sys
from pathlib import Path
import pandas as pd
from forecast.ingest.state import Attempt, Fetches
now = pd.Timestamp("2026-08-20T06:00Z")
fetches = Fetches(Path(sys.argv[1]))
for n in range(15):
    number = fetches.begin(sys.argv[2], now)
    fetches.stored(sys.argv[2], "s", f"k{n}", version=1, now=now)
    fetches.end(number, Attempt(sys.argv[2], "a", "b", ok=True))
"""


def test_processes_share_the_state(tmp_path: Path) -> None:
    path = tmp_path / "new" / "fetches.sqlite"
    racing = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, str(path), name], stderr=subprocess.PIPE, env=os.environ
        )
        for name in ("a", "b", "c")
    ]
    for process in racing:
        _, said = process.communicate(timeout=300)
        assert process.returncode == 0, said.decode()
    fetches = Fetches(path)
    assert len(fetches.attempts(limit=1000)) == 45
    assert fetches.done("b", "s", 1) == {f"k{n}" for n in range(15)}
    assert fetches.done("b", "t", 1) == frozenset()
    assert fetches.done("b", "s", 0) == frozenset()  # another lake: forgotten, of this one alone
    assert fetches.done("b", "s", 1) == frozenset()
    assert len(fetches.done("a", "s", 1)) == 15


def test_a_damaged_state_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "fetches.sqlite"
    assert Fetches(path).attempts() == ()
    assert not path.exists()
    path.write_bytes(b"this is no database, whatever its name says" * 50)
    with pytest.raises(LakeError, match=r"fetches.sqlite: .* remove it: all is then fetched again"):
        Fetches(path).begin("a", NOW)


def test_a_batch_that_is_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="lacks the column"):
        screened(Batch(pd.DataFrame({"x": [1]}), np.zeros(1, bool)), config_of({}), NOW)
