"""How providers stand, from the record of real tries."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from forecast.config import RunConfig
from forecast.errors import ConfigError
from forecast.ingest.configured import configured
from forecast.ingest.standing import standings, standings_of
from forecast.ingest.state import Attempt, Fetches, iso
from forecast.source_report import ProviderStatus

ZONE = {"id": "z1", "name": "Zone", "population": 10, "latitude": 49.4, "longitude": 0.1}
NOW = pd.Timestamp("2026-05-20T06:00Z")


def config_of(**tables: object) -> RunConfig:
    return RunConfig(id="essai", name="Essai", zones=[ZONE], providers=tables)


CONFIG = config_of(pesees={"kind": "waste-tickets", "folder": "/srv/pesees", "every_hours": 12})


@pytest.fixture
def fetches(tmp_path: Path) -> Fetches:
    return Fetches(tmp_path / "fetches.sqlite")


def tried(fetches: Fetches, hours_ago: float, **outcome: object) -> None:
    """A try that began so long ago; without any outcome it has not ended."""
    began = NOW - pd.Timedelta(hours=hours_ago)
    number = fetches.begin("pesees", began)
    if outcome:
        ended = {"started_at": iso(began), "ended_at": iso(began), **outcome}
        fetches.end(number, Attempt(provider="pesees", **ended))


def standing(fetches: Fetches) -> ProviderStatus:
    (found,) = standings(configured(CONFIG), fetches)
    return found


def ago(hours: float) -> pd.Timestamp:
    return NOW - pd.Timedelta(hours=hours)


def test_one_that_was_never_tried(fetches: Fetches) -> None:
    found = standing(fetches)
    assert (found.name, found.kind, found.sources) == ("pesees", "waste-tickets", ("waste",))
    assert (found.every_hours, found.enabled) == (12, True)
    assert (found.last_try_at, found.last_success_at, found.newest_date) == (None, None, None)
    assert found.missed_runs(NOW) is None


def test_a_generic_provider_fills_the_source_it_is_configured_for(fetches: Fetches) -> None:
    table = {"kind": "opendatasoft", "base_url": "https://example.org", "dataset": "comptages"}
    table |= {"source": "mobility", "date_field": "jour", "site_field": "compteur", "zone": "z1"}
    table |= {"values": {"count": "total"}}
    (one,) = configured(config_of(velos=table))
    assert len(one.provider.about.sources) > 1
    (found,) = standings([one], fetches)
    assert found.sources == ("mobility",)


def test_failures_count_since_the_last_success(fetches: Fetches) -> None:
    tried(fetches, 60, error="older")
    tried(fetches, 48, ok=True, newest="2026-05-17")
    tried(fetches, 36, error="first")
    tried(fetches, 24, error="second", newest="2026-05-01", next_try_at=iso(ago(-1)))
    found = standing(fetches)
    assert (found.last_try_at, found.last_success_at) == (ago(24), ago(48))
    assert (found.first_failure_at, found.last_error) == (ago(36), "second")
    assert found.newest_date == date(2026, 5, 17)
    assert found.next_try_at(NOW) == ago(-1)
    assert found.missed_runs(NOW) == 3
    tried(fetches, 0, ok=True, newest="2026-05-19", next_try_at=iso(ago(-12)))
    found = standing(fetches)
    assert (found.first_failure_at, found.last_error) == (None, "")
    assert (found.missed_runs(NOW), found.newest_date) == (0, date(2026, 5, 19))


def test_a_try_under_way_is_no_failure_an_interrupted_one_is(fetches: Fetches) -> None:
    tried(fetches, 13, ok=True)
    tried(fetches, 1)
    found = standing(fetches)
    assert (found.last_try_at, found.first_failure_at) == (ago(1), None)
    tried(fetches, 0)
    found = standing(fetches)
    assert (found.first_failure_at, found.last_error) == (ago(1), "interrupted")
    assert found.missed_runs(NOW) == 1


def test_what_is_wrong_never_stops_a_publication(fetches: Fetches, tmp_path: Path) -> None:
    wrong = config_of(ciel={"kind": "magic"})
    with pytest.raises(ConfigError, match="magic"):
        configured(wrong)
    assert standings_of(wrong, fetches) == []
    beside = RunConfig.model_validate(
        {**CONFIG.model_dump(), "providers": {**CONFIG.providers, **wrong.providers}}
    )
    assert [found.name for found in standings_of(beside, fetches)] == ["pesees"]
    (tmp_path / "damaged.sqlite").write_bytes(b"not a database, at all" * 100)
    assert standings_of(CONFIG, Fetches(tmp_path / "damaged.sqlite")) == []
    assert [found.name for found in standings_of(CONFIG, fetches)] == ["pesees"]
