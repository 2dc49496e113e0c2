"""``[providers.NAME]``: what is refused before anything is fetched, and what it is worth."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from forecast.config import RunConfig, read_config
from forecast.errors import ConfigError, InputError
from forecast.ingest.configured import configured, enabled, examined, named
from forecast.ingest.places import Places
from forecast.ingest.provider import Provider
from forecast.ingest.providers import discover

ROOT = Path(__file__).parents[2]
ZONE = {"id": "z1", "name": "Une", "population": 1000, "latitude": 49.3, "longitude": 0.1}
TABLE = {
    "kind": "opendatasoft", "base_url": "https://data.example.org/", "dataset": "velos",
    "source": "mobility", "date_field": "jour", "zone": "z1", "site_field": "site",
    "values": {"count": "nb"},
}  # fmt: skip


def config_of(providers: dict[str, Any], **more: Any) -> RunConfig:
    base = {"id": "test", "name": "Essai", "zones": [ZONE], "providers": providers}
    return RunConfig.model_validate(base | more)


def said(providers: dict[str, Any], **more: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        configured(config_of(providers, **more), "x.toml")
    return str(caught.value)


@pytest.mark.parametrize("kind", discover())
def test_every_kind_says_who_it_is(kind: str) -> None:
    provider = discover()[kind]
    assert isinstance(provider, Provider)
    about = provider.about
    for text in (about.title, about.licence, about.terms, about.verified):
        assert text.strip()
    assert about.sources
    assert provider.options.model_config["extra"] == "forbid"


def test_the_estuary_configures_every_kind_that_needs_no_address() -> None:
    """Its tables are valid, those with `enabled = false` included."""
    path = ROOT / "configs" / "estuaire.toml"
    known = configured(read_config(path), str(path))
    kinds = {one.provider.kind for one in known}
    assert {"open-meteo", "open-meteo-observed", "meteo-france", "dir-traffic"} <= kinds
    asked = enabled(known)
    assert 0 < len(asked) < len(known)
    for one in asked:
        environment = [k for k, v in one.options.model_dump().items() if k.endswith("_env") and v]
        assert environment == [], f"{one.name} needs a key and is enabled"


def test_the_examples_in_the_comments_of_the_estuary_are_valid() -> None:
    text = (ROOT / "configs" / "estuaire.toml").read_text(encoding="utf-8")
    examples = text.partition("# -- examples --\n")[2].partition("# -- end of the examples --")[0]
    plain = "".join(line.removeprefix("#").removeprefix(" ") for line in examples.splitlines(True))
    tables = tomllib.loads(plain)["providers"]
    given = {table.get("kind", name) for name, table in tables.items()}
    own = {one.provider.kind for one in configured(read_config(ROOT / "configs" / "estuaire.toml"))}
    assert given | own == discover().keys()
    assert [one.name for one in configured(config_of(tables))] == list(tables)


def test_a_table_gives_options_and_its_name_the_kind() -> None:
    (one,) = configured(
        config_of({"opendatasoft": {k: v for k, v in TABLE.items() if k != "kind"}})
    )
    assert (one.name, one.provider.kind, one.options.kind) == ("opendatasoft",) * 3
    assert one.options.model_dump()["base_url"] == "https://data.example.org"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"kind": "opendata"}, "x.toml: providers.v.kind: there is no kind 'opendata', did you "
                               "mean 'opendatasoft'?; expected one of "),
        ({"kind": 3}, "x.toml: providers.v.kind: there is no kind 3; expected one of "),
        ({"datset": "a"}, "x.toml: providers.v.datset: unknown key; remove it or correct its"),
        ({"every_hours": 0}, "x.toml: providers.v.every_hours: Input should be greater than 0"),
        ({"base_url": "data.example.org"}, "x.toml: providers.v.base_url: expected an address"),
        ({"key": "hunter22"}, "x.toml: providers.v.key: a secret is not written in this file"),
        ({"api_key": "hunter22"}, "name that variable in the key api_key_env"),
        ({"password": "hunter22"}, "x.toml: providers.v.password: a secret is not written"),
        ({"base_url": "https://marie:hunter22@h.org"}, "v.base_url: the address holds a user or"),
        ({"base_url": "https://h.org/?api-key=hunter22"}, "holds the parameter 'api-key'; a secr"),
        ({"key_env": "hunter22"}, "x.toml: providers.v.key_env: expected the name of an environ"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_no_secret_repeated(change: dict[str, Any], line: str) -> None:
    message = said({"v": {**TABLE, **change}})
    assert line in message
    assert "hunter22" not in message


def test_every_problem_of_every_provider_is_listed() -> None:
    message = said({"a": {**TABLE, "kind": "x"}, "b": {**TABLE, "source": "weather", "window": 3}})
    lines = message.splitlines()
    assert lines[0].split(": ")[1] == "providers.a.kind"
    assert {line.split(": ")[1].rpartition(".")[0] for line in lines[1:]} <= {
        "providers", "providers.b"
    }  # fmt: skip
    assert len(lines) >= 2


def test_a_simulated_home_takes_no_real_data() -> None:
    assert "the territory is simulated" in said({"v": TABLE}, simulated=True)
    assert configured(config_of({}, simulated=True)) == ()


def test_choosing() -> None:
    wrong = {**TABLE, "window": 3}
    known = examined(
        config_of({"w": wrong, "a": TABLE, "b": {**TABLE, "enabled": False}}), "x.toml"
    )
    assert [one.name for one in enabled(known.valid)] == ["a"]
    assert named(known, "b").name == "b"
    with pytest.raises(InputError, match="no provider is called 'c'; configured: a, b, w"):
        named(known, "c")
    assert list(known.wrong) == ["w"]
    with pytest.raises(ConfigError, match=r"x\.toml: providers\.w\.window: unknown key"):
        named(known, "w")


def test_a_name_is_plain() -> None:
    with pytest.raises(ValueError, match="String should match pattern"):
        config_of({"Vélos du Havre": TABLE})


def test_the_scope_changes_with_what_decides_the_rows(tmp_path: Path) -> None:
    def scope(config: RunConfig | None = None, **change: Any) -> str:
        config = config or config_of({"a": {**TABLE, **change}})
        return configured(config)[0].scope(config, Places.of(config, tmp_path))

    assert scope() == scope(every_hours=3, history_days=9, enabled=False)
    assert scope() != scope(dataset="autre")
    other = config_of({"a": TABLE}, sources={"mobility": {"publication_delay_hours": 9}})
    assert scope(other) != scope()
    placed = config_of({"a": TABLE}, communes="communes.csv")
    (tmp_path / "communes.csv").write_text("commune_id,zone_id\n14220,z1\n")
    before = scope(placed)
    assert before == scope(placed)
    (tmp_path / "communes.csv").write_text("commune_id,zone_id\n14221,z1\n")
    assert scope(placed) != before


def test_what_is_hidden_is_what_the_variables_hold() -> None:
    (one,) = configured(config_of({"a": {**TABLE, "key_env": "VELOS_KEY"}}))
    hidden = one.hidden({"VELOS_KEY": "hunter22\n", "OTHER": "hunter23"})
    assert hidden.hide("hunter22 and hunter23") == "*** and hunter23"
    assert "hunter22" not in repr(hidden)
