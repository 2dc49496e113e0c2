"""Configuration: what is refused, and whether the message says what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from forecast.config import DEFAULT_DELAYS_HOURS, RunConfig, read_config
from forecast.errors import ConfigError
from forecast.settings import Settings
from forecast.territory import Market

ESTUARY = Path(__file__).parents[1] / "configs" / "estuaire.toml"
ZONE = '[[zones]]\nid = "a"\nname = "A"\npopulation = 10\nlatitude = 49.4\nlongitude = 0.1\n'
LEAST = 'id = "essai"\nname = "Essai"\n' + ZONE

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to(text: str) -> Path:
        path = tmp_path / "essai.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return to


def test_zones_are_enough(write: Write) -> None:
    config = read_config(write(LEAST))
    assert config.timezone == "Europe/Paris"
    assert config.max_horizon_days == 14
    assert {config.delay_hours(source) for source in DEFAULT_DELAYS_HOURS} == set(
        DEFAULT_DELAYS_HOURS.values()
    )


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        (f"horizon = 14\n{LEAST}", "horizon", "unknown key"),
        (f"{LEAST}populaton = 12\n", "zones.0.populaton", "unknown key"),
        (f"{LEAST}[training]\nround = 300\n", "training.round", "unknown key"),
        (
            f"{LEAST}[sources.influx]\npublication_delay_hours = 3\ndelay = 3\n",
            "sources.influx.delay",
            "unknown key",
        ),
        (f"{LEAST}[sources.wether]\npublication_delay_hours = 3\n", "sources", "'wether'"),
        (f'timezone = "Europe/Pari"\n{LEAST}', "timezone", "'Europe/Pari'"),
        (f"{LEAST}[levels]\norange = 5\n", "levels", "orange must be more frequent"),
        (f"quantiles = [0.1, 0.9]\n{LEAST}", "(file)", "include 0.5"),
        (f"quantiles = [0.9, 0.5, 0.1]\n{LEAST}", "(file)", "must increase"),
        (f"quantiles = [0.5, 1.0]\n{LEAST}", "quantiles.1", "less than 1"),
        (f"{LEAST}{ZONE}", "(file)", "zone id 'a' is given twice"),
        (
            f'{LEAST}[[origin_markets]]\ncountry = "FR"\nshare = 0.5\n',
            "(file)",
            "origin_markets sum to 0.5, expected 1",
        ),
        (
            f'{LEAST}[[zones.origin_markets]]\ncountry = "FR"\nshare = 0.7\n',
            "(file)",
            "origin_markets of zone 'a' sum to 0.7",
        ),
        (LEAST.replace("49.4", "94.4"), "zones.0.latitude", "less than or equal to 90"),
        (LEAST.replace("= 10", "= 0"), "zones.0.population", "greater than 0"),
        (LEAST.replace("essai", "Mon Essai", 1), "id", "pattern"),
        ('id = "essai"\nname = "Essai"\n', "zones", "required"),
    ],
)
def test_a_wrong_key_is_named_with_its_file(write: Write, text: str, key: str, said: str) -> None:
    path = write(text)
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    assert str(caught.value).startswith(f"{path}: {key}: ")
    assert said in str(caught.value)


def test_every_wrong_key_is_named_at_once(write: Write) -> None:
    with pytest.raises(ConfigError) as caught:
        read_config(write(f'horizon = 1\ntimezone = "Nowhere"\n{LEAST}populaton = 1\n'))
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[1] for line in lines] == ["timezone", "zones.0.populaton", "horizon"]


def test_a_file_that_cannot_be_read(tmp_path: Path, write: Write) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read"):
        read_config(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match=r"essai\.toml: is not valid TOML.*line 1"):
        read_config(write("id = essai\n"))
    latin = tmp_path / "latin.toml"
    latin.write_bytes('name = "Cœur Côte"'.encode("utf-16"))
    with pytest.raises(ConfigError, match=r"latin\.toml: is not UTF-8"):
        read_config(latin)


def test_a_configuration_does_not_change() -> None:
    config = read_config(ESTUARY)
    with pytest.raises(ValidationError):
        config.max_horizon_days = 3  # type: ignore[misc]


def test_the_estuary_says_its_delays_and_shares() -> None:
    config = read_config(ESTUARY)
    assert config.delay_hours("influx") == 56
    assert config.delay_hours("events") < 0
    assert sum(origin.share for origin in config.origin_markets) == pytest.approx(1)


def test_zones_inherit_home_and_origins_and_may_have_their_own(write: Write) -> None:
    abroad = '[[zones]]\nid = "b"\nname = "B"\npopulation = 5\nlatitude = 51.1\nlongitude = 1.3\n'
    text = (
        f'school = "Zone B"\n{LEAST}{abroad}country = "GB"\n'
        '[[zones.origin_markets]]\ncountry = "BE"\nshare = 1\n'
        '[[origin_markets]]\ncountry = "FR"\nschool = "Zone C"\nshare = 0.75\n'
        '[[origin_markets]]\ncountry = "BE"\nshare = 0.25\n'
    )
    territory = read_config(write(text)).territory()
    assert territory.home == (Market("FR", "", "Zone B"), Market("GB"))
    assert territory.markets == (Market("FR", "", "Zone C"), Market("BE"))
    np.testing.assert_allclose(territory.shares, [[0.75, 0.25], [0, 1]])


def test_without_origins_visitors_come_from_the_zones_own_country(write: Write) -> None:
    territory = read_config(write(LEAST)).territory()
    assert territory.markets == territory.home
    np.testing.assert_allclose(territory.shares, [[1.0]])


def home_of(folder: Path, **environment: str) -> Settings:
    return Settings.from_environment({"AFFLUX_HOME": str(folder), **environment})


def test_the_environment_says_where(tmp_path: Path) -> None:
    found = home_of(tmp_path)
    assert found.lake == str(tmp_path / "data" / "lake")
    assert found.publications.is_relative_to(tmp_path)
    assert home_of(tmp_path, AFFLUX_LAKE="s3://bucket/lake").lake == "s3://bucket/lake"
    assert Settings.from_environment({}).home == Path.cwd()


def test_the_one_configuration_of_a_home_is_in_force(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no configuration in .*configs: run `afflux ingest"):
        home_of(tmp_path).config_path()
    (tmp_path / "configs").mkdir()
    one, two = (tmp_path / "configs" / f"{name}.toml" for name in ("one", "two"))
    one.write_text(LEAST, encoding="utf-8")
    assert home_of(tmp_path).config_path() == one
    assert home_of(tmp_path).run_config() == RunConfig.model_validate(
        {
            "id": "essai",
            "name": "Essai",
            "zones": [
                {"id": "a", "name": "A", "population": 10, "latitude": 49.4, "longitude": 0.1}
            ],
        }
    )
    two.write_text(LEAST, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"one\.toml, two\.toml.*AFFLUX_CONFIG"):
        home_of(tmp_path).config_path()
    assert home_of(tmp_path, AFFLUX_CONFIG=str(two)).config_path() == two
