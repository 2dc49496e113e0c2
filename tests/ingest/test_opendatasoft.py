"""Bytes of an Opendatasoft portal in, rows of a real lake out; and whatever breaks on the way."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.config import RunConfig
from forecast.errors import ProviderError
from forecast.ingest.configured import configured
from forecast.ingest.fetching import Fetched, Fetcher
from forecast.ingest.http import Client
from forecast.ingest.places import Places
from forecast.ingest.providers.opendatasoft import parse_lines, parse_page
from forecast.ingest.samples import Samples
from forecast.ingest.state import Fetches
from forecast.lake import Lake

NOW = pd.Timestamp("2026-08-20T06:00Z")
BASE = "/api/explore/v2.1/catalog/datasets/velos"
ZONES = [
    {"id": zone, "name": name, "population": 1000, "latitude": latitude, "longitude": longitude}
    for zone, name, latitude, longitude in (
        ("241400415", "Cœur Côte Fleurie", 49.359, 0.075),
        ("200084952", "Le Havre", 49.494, 0.108),
    )
]
WINDOW = "2025-03-10/2035-03-17"


class Portal:
    """A data set behind `records` and `exports/jsonl`, which honours limit and offset."""

    def __init__(self, replay: Any, records: list[dict[str, Any]]) -> None:
        self.replay, self.records = replay, records
        replay.routes[f"{BASE}/records"] = self.page
        replay.routes[f"{BASE}/exports/jsonl"] = self.export

    def page(self, asked: Any) -> Any:
        limit, offset = int(asked.query["limit"]), int(asked.query["offset"])
        assert limit <= 100
        assert limit + offset < 10_000
        results = self.records[offset : offset + limit]
        said = {"total_count": len(self.records), "results": results}
        return self.replay.Answer(body=json.dumps(said))

    def export(self, asked: Any) -> Any:
        lines = "".join(json.dumps(record) + "\n" for record in self.records)
        return self.replay.Answer(body=lines, headers={"content-type": "application/x-ndjson"})


class Home:
    """A home with a real lake, and one provider called `velos`."""

    def __init__(self, path: Path, replay: Any, **options: Any) -> None:
        table = {
            "kind": "opendatasoft",
            "base_url": replay.url,
            "dataset": "velos",
            "source": "mobility",
            "date_field": "jour",
            "zone_field": "insee",
            "site_field": "compteur",
            "values": {"count": "nb"},
            "window_days": 3660,
        } | options
        self.config = RunConfig.model_validate(
            {
                "id": "test",
                "name": "Essai",
                "zones": ZONES,
                "communes": "communes.csv",
                "geometry": "estuaire.geojson",
                "providers": {"velos": table},
            }
        )
        text = "commune_id,zone_id,name\n14220,241400415,Deauville\n76351,200084952,Le Havre\n"
        (path / "communes.csv").write_text(text, encoding="utf-8")
        self.lake, self.fetches = Lake(str(path / "lake")), Fetches(path / "fetches.sqlite")
        self.fetcher = Fetcher(
            config=self.config,
            places=Places.of(self.config, path),
            lake=self.lake,
            fetches=self.fetches,
            samples=Samples(path / "samples.sqlite"),
            clock=lambda: NOW,
            client=functools.partial(Client, retry_seconds=0.01, tries=2),
        )

    def run(self, since: str | None = None, until: str | None = None) -> Fetched:
        (one,) = configured(self.config)
        return self.fetcher.run(one, self.fetcher.span(one, since, until))

    def rows(self) -> list[tuple[str, str, str, str, float]]:
        found = self.lake.read()
        keys = ["zone_id", "site_id", "variable", "date", "value"]
        rows = found[keys].astype({"date": "str"}).sort_values(keys).itertuples(index=False)
        return [tuple(row) for row in rows]


def count(day: str, number: Any, insee: str | None = "14220", site: str = "Les Planches") -> dict:
    return {"jour": day, "nb": number, "insee": insee, "compteur": site}


def test_days_of_a_small_data_set(replay: Any, tmp_path: Path) -> None:
    Portal(
        replay,
        [
            count("2026-08-10", 100), count("2026-08-10", 20.5), count("2026-08-11", "310"),
            count("2026-08-12", None), count("2026-08-12", 50),
            count("2026-08-13", 0, insee="76351", site="Docks"),
            count("2026-08-14", 7, insee="75056"), count("2026-08-15", 8, insee=None),
            count("2026-08-16", True), count("2026-13-01", 5), count("hier", 5),
            count("2026-08-17", 10**9), count("2026-08-20", 3), count("2026-08-18", 4, site=""),
        ],
    )  # fmt: skip
    home = Home(tmp_path, replay)
    done = home.run()
    assert home.rows() == [
        ("200084952", "Docks", "count", "2026-08-13", 0.0),
        ("241400415", "Les Planches", "count", "2026-08-10", 120.5),
        ("241400415", "Les Planches", "count", "2026-08-11", 310.0),
    ]
    assert (done.errors, done.exit_code, done.pieces) == ([], 0, 1)
    assert (done.new, done.known, done.revised) == (3, 0, 0)
    assert done.unplaced == {"75056": 1, "": 1}
    assert done.newest == "2026-08-13"
    assert done.notes == ["1 sums of a day left out: a value is missing"]
    where = f"{replay.url}, velos, {WINDOW}: record "
    assert done.refused == [
        f"{where}9: nb is 'True', expected a number",
        f"{where}10: jour is '2026-13-01', expected a day that exists",
        f"{where}11: jour is 'hier', expected a day like 2026-05-13, or an instant with its "
        "offset like 2026-05-13T08:00:00+02:00",
        f"{where}14: compteur is '', expected a name",
        "mobility, zone 241400415, Les Planches, 2026-08-17: count = 1e+09: expected 0 to "
        "10,000,000 passages day⁻¹",
    ]
    row = home.lake.read().iloc[0]
    assert row["provider"] == "velos"
    # The end of 13 August in Paris, and the eight hours after which counts are published.
    assert row["available_at"] == pd.Timestamp("2026-08-14T06:00Z")
    (asked,) = replay.requests
    assert asked.query["select"] == "jour,insee,compteur,nb"
    assert asked.query["where"] == "jour >= date'2025-03-09' AND jour < date'2026-08-21'"
    again = home.run()
    assert (again.new, again.known, len(home.rows())) == (0, 3, 3)


@pytest.mark.parametrize("records", [100, 101, 1000, 1001])
def test_pages_and_exports_give_every_record(replay: Any, tmp_path: Path, records: int) -> None:
    Portal(replay, [count("2026-08-10", 1, site=f"S{n:05d}") for n in range(records)])
    home = Home(tmp_path, replay)
    assert home.run().new == records
    assert len(home.rows()) == records
    paths = [asked.path.rpartition("/")[2] for asked in replay.requests]
    pages = -(-records // 100)
    assert paths == (["records"] * pages if records <= 1000 else ["records", "jsonl"])
    assert all(asked.query.get("order_by") == "jour,insee,compteur,nb" for asked in replay.requests)


def test_an_empty_data_set_is_no_failure(replay: Any, tmp_path: Path) -> None:
    Portal(replay, [])
    home = Home(tmp_path, replay)
    done = home.run()
    assert (done.ok, done.pieces, done.new, done.newest) == (True, 1, 0, None)
    assert home.lake.version() == 0


def broken_answers(replay: Any) -> dict[str, tuple[Any, str]]:
    answer = replay.Answer
    lines = "".join(json.dumps(count("2026-08-10", n)) + "\n" for n in range(1001))
    cut = 'Streaming interrupted due to the following error: {"x": 1}'
    malformed = '{"error_code":"ODSQLError","message":"ODSQL query is malformed: nb"}'
    quota = '{"errorcode":10002,"reset_time":"2026-08-21T00:00:00Z","error":"Too many requests"}'
    return {
        "interrupted stream": (answer(body=lines[:20_000] + cut), "Streaming interrupted due to"),
        "line cut in the middle": (answer(body=lines[:-5]), "line 1,001 is no record"),
        "fewer than counted": (answer(body="".join(lines.splitlines(True)[:900])), "900 of 1,001"),
        "connection lost": (answer(body=lines, truncate=9000), "no whole answer came"),
        "page of HTML": (answer(body="<html>", headers={"content-type": "text/html"}), "text/html"),
        "malformed question": (answer(400, malformed), "ODSQL query is malformed: nb"),
        "quota": (answer(429, quota), "wait until 2026-08-21T00:00:00Z"),
        "out of order": (answer(503), "answered 503"),
        "another host": (answer(302, headers={"location": "http://else.example/"}), "not followed"),
        "too large": (answer(body=b"{}\n" * (22 << 20)), "exceeds 67,108,864 bytes"),
    }  # fmt: skip


@pytest.mark.parametrize(
    "case",
    ["interrupted stream", "line cut in the middle", "fewer than counted", "connection lost",
     "page of HTML", "malformed question", "quota", "out of order", "another host", "too large"],
)  # fmt: skip
def test_nothing_is_kept_of_an_export_that_breaks(replay: Any, tmp_path: Path, case: str) -> None:
    portal = Portal(replay, [count("2026-08-10", n, site=f"S{n}") for n in range(1001)])
    home = Home(tmp_path, replay)
    answer, said = broken_answers(replay)[case]
    replay.routes[f"{BASE}/exports/jsonl"] = [answer]
    done = home.run()
    assert home.lake.version() == 0
    assert (done.exit_code, done.pieces) == (1, 0)
    assert said in done.errors[0]
    assert done.errors[0].startswith(f"{WINDOW}: ")
    last = home.fetches.attempts("velos")[0]
    assert (last.ok, last.error) == (False, done.errors[0])
    quota = case == "quota"
    assert done.next_try_at == ("2026-08-21T00:00:00Z" if quota else "2026-08-20T07:00:00Z")
    replay.routes[f"{BASE}/exports/jsonl"] = portal.export
    assert home.run().new == 1001


def test_records_that_change_while_they_are_read_are_not_kept(replay: Any, tmp_path: Path) -> None:
    portal = Portal(replay, [count("2026-08-10", n, site=f"S{n}") for n in range(150)])

    def page(asked: Any) -> Any:
        answer = portal.page(asked)
        portal.records = portal.records[1:]
        return answer

    replay.routes[f"{BASE}/records"] = page
    home = Home(tmp_path, replay)
    assert "changed while they were read (150, then 149)" in home.run().errors[0]
    assert home.lake.version() == 0


def test_a_field_that_nobody_has_is_named(replay: Any, tmp_path: Path) -> None:
    Portal(replay, [{"jour": "2026-08-10", "insee": "14220", "compteur": "a", "total": 3}])
    (error,) = Home(tmp_path, replay).run().errors
    assert "no record has the field 'nb'; they have compteur, insee, jour, total" in error


def test_windows_settle_and_are_not_asked_again(replay: Any, tmp_path: Path) -> None:
    Portal(replay, [])
    home = Home(tmp_path, replay, window_days=7, settled_days=3)
    first = home.run("2026-07-22", "2026-08-19")
    keys = [asked.query["where"] for asked in replay.requests]
    assert first.pieces == len(keys) == 5
    assert keys[-1] == "jour >= date'2026-08-15' AND jour < date'2026-08-21'"
    replay.requests.clear()
    again = home.run("2026-07-22", "2026-08-19")
    assert (again.skipped, again.pieces, len(replay.requests)) == (4, 1, 1)
    replay.requests.clear()
    other = Home(tmp_path, replay, window_days=7, settled_days=3, where="nb > 0")
    assert other.run("2026-07-22", "2026-08-19").skipped == 0
    assert replay.requests[0].query["where"].startswith("(nb > 0) AND jour >= ")


def test_instants_fall_on_local_days_and_hours(replay: Any, tmp_path: Path) -> None:
    """Occupancy from free spaces, between 9 and 19 h in Paris, one value for each hour."""
    records = [
        {
            "quand": f"2026-08-{9 + hour // 24:02d}T{hour % 24:02d}:30:00+00:00",
            "libres": 100 - (hour % 24) * 4,
            "places": 100,
            "ou": {"lon": 0.1079, "lat": 49.4941},
            "nom": "Docks",
        }
        for hour in range(22, 46)
    ]
    far = {**records[0], "ou": {"lon": 2.35, "lat": 48.85}, "nom": "Paris"}
    lost = {**records[0], "ou": None, "nom": "Nulle part"}
    wrong = {**records[5], "libres": 120}
    Portal(replay, [*records, far, lost, wrong])
    spaces = {"free": "libres", "capacity": "places"}
    home = Home(
        tmp_path,
        replay,
        source="parking",
        date_field="quand",
        zone_field="",
        point_field="ou",
        site_field="nom",
        min_records=24,
        values={
            "occupancy": {**spaces, "aggregate": "mean", "hours": [9, 19]},
            "occupancy_peak": {**spaces, "aggregate": "max"},
            "full_share": {**spaces, "aggregate": "full", "hours": [9, 19]},
            "capacity": {"field": "places", "aggregate": "max"},
        },
    )
    done = home.run()
    # 10 August in Paris runs from 22 h UTC on the 9th; 9 to 19 h there is 7 to 17 h UTC.
    mean = sum(hour * 4 / 100 for hour in range(7, 17)) / 10
    assert [(r[1], r[2], r[3]) for r in home.rows()] == [
        ("Docks", name, "2026-08-10")
        for name in ("capacity", "full_share", "occupancy", "occupancy_peak")
    ]
    assert [r[4] for r in home.rows()] == pytest.approx([100, 0.0, mean, 0.92])
    assert done.unplaced == {"Paris": 1, "Nulle part": 1}
    assert len(done.refused) == 1  # at 5 h, only the peak looks at it
    assert "libres is '120.0', expected a number of spaces from 0 to 100" in done.refused[0]


def test_events_last_and_may_lie_ahead(replay: Any, tmp_path: Path) -> None:
    Portal(
        replay,
        [
            {"debut": "2026-09-04", "fin": "2026-09-06", "titre": " Fête  de la mer", "nb": 9000,
             "maj": "2026-06-01T08:00:00+02:00", "insee": "14220"},
            {"debut": "2026-09-10", "fin": None, "titre": "Marché", "nb": 500, "maj": None,
             "insee": "14220"},
            {"debut": "2026-09-10", "fin": "2028-09-10", "titre": "Sans fin", "nb": 5, "maj": None,
             "insee": "14220"},
        ],
    )  # fmt: skip
    home = Home(
        tmp_path,
        replay,
        source="events",
        date_field="debut",
        end_field="fin",
        site_field="titre",
        available_field="maj",
        values={"attendance": {"field": "nb", "factor": 1.5}},
    )
    done = home.run()
    assert [r[1:] for r in home.rows()] == [
        ("Fête de la mer", "attendance", f"2026-09-0{day}", 13500.0) for day in (4, 5, 6)
    ] + [("Marché", "attendance", "2026-09-10", 750.0)]
    known = home.lake.read().set_index("site_id")["available_at"]
    assert set(known["Fête de la mer"]) == {pd.Timestamp("2026-06-01T06:00Z")}
    assert "fin is '2028-09-10', expected a day of the 366 from 2026-09-10 on" in done.refused[0]
    assert "fin IS NULL" in replay.requests[0].query["where"]


def test_the_key_is_sent_and_told_to_nobody(
    replay: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path, replay, key_env="VELOS_KEY")
    monkeypatch.delenv("VELOS_KEY", raising=False)
    missing = home.run()
    assert missing.exit_code == 2
    assert "the environment variable VELOS_KEY is not set" in missing.errors[0]
    monkeypatch.setenv("VELOS_KEY", "topsecret1")
    Portal(replay, [{**count("2026-08-10", "topsecret1"), "compteur": "topsecret1"}])
    done = home.run()
    assert replay.requests[0].headers["authorization"] == "Apikey topsecret1"
    assert "nb is '***', expected a number" in done.refused[0]
    replay.routes[f"{BASE}/records"] = [replay.Answer(403, '{"error": "topsecret1 is no key"}')]
    refused = home.run()
    assert "answered 403 (*** is no key)" in refused.errors[0]
    assert "topsecret1" not in repr(refused) + repr(done) + repr(home.fetches.attempts())
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("fetches.sqlite*"))
    assert b"topsecret1" not in kept


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_whatever_comes_is_read_or_refused(body: bytes) -> None:
    for parse in (parse_page, parse_lines):
        try:
            parse(body, "here")
        except ProviderError as error:
            assert str(error).startswith("here: ")


GOOD_PAGE = json.dumps({"total_count": 2, "results": [count("2026-08-10", n) for n in (1, 2)]})
GOOD_LINES = "".join(json.dumps(count("2026-08-10", n)) + "\n" for n in (1, 2, 3))


@given(st.data())
def test_a_good_answer_with_a_fault_is_read_or_refused(data: st.DataObject) -> None:
    for good, parse in ((GOOD_PAGE, parse_page), (GOOD_LINES, parse_lines)):
        body = bytearray(good.encode())
        start = data.draw(st.integers(0, len(body)))
        end = data.draw(st.integers(start, min(start + 20, len(body))))
        body[start:end] = data.draw(st.binary(max_size=20))
        try:
            parse(bytes(body), "here")
        except ProviderError as error:
            assert str(error).startswith("here: ")
