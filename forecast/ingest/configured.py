"""Providers as configured: the tables ``[providers.NAME]``, validated before any fetching."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import ValidationError

from forecast.config import RunConfig
from forecast.config_problems import explain
from forecast.errors import ConfigError, InputError
from forecast.ingest.answers import Hidden
from forecast.ingest.places import Places
from forecast.ingest.provider import Options, Provider
from forecast.ingest.providers import discover

_ENV = "_env"
"""A key that ends so names an environment variable, which holds a secret."""

_SECRETS = re.compile(r"^([a-z]+_)*(key|apikey|token|password|secret|hash|user|username)$")
"""What a secret written in the file would be called, at the top of a provider's table."""

_NOT_ASKED = {"kind", "enabled", "every_hours", "history_days"}
"""Keys that do not change what a piece holds."""


@dataclass(frozen=True)
class Configured:
    """A provider by the ``name`` of its table, with its kind and its valid options."""

    name: str
    provider: Provider
    options: Options

    def scope(self, config: RunConfig, places: Places) -> str:
        """A name for what decides the rows that a piece gives: options, zones, places and delays.

        What was stored under another scope is fetched again.
        """
        asked = self.options.model_dump_json(exclude=_NOT_ASKED)
        zones = [zone.model_dump_json() for zone in config.zones]
        delays = [f"{name}={config.delay_hours(name)}" for name in sorted(config.sources)]
        told = "\n".join(
            [self.provider.kind, asked, *zones, config.timezone, places.digest, *delays]
        )
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    def hidden(self, environment: Mapping[str, str] | None = None) -> Hidden:
        """The secrets of this provider that are set, to be kept out of texts."""
        env = os.environ if environment is None else environment
        names = _named(self.options.model_dump())
        return Hidden(env[name].strip() for name in names if name in env)


@dataclass(frozen=True)
class Examined:
    """The tables of a configuration: the providers whose table is ``valid``, in the order of the
    file, and what is wrong with each other, by its name."""

    valid: tuple[Configured, ...]
    wrong: Mapping[str, str]


def examined(config: RunConfig, where: str = "the configuration") -> Examined:
    """Every provider of the configuration, enabled or not; one wrong table spoils no other.

    ``where`` is what sentences call the file.

    Raises
    ------
    ConfigError
        If the territory is simulated, where real data would be mixed with invented.
    """
    if config.simulated and config.providers:
        raise ConfigError(
            f"{where}: providers: the territory is simulated (simulated = true), and real data "
            "mixed with it would be neither; remove [providers], or use a home of real data"
        )
    kinds = discover() if config.providers else {}
    found: list[Configured] = []
    wrong: dict[str, str] = {}
    for name, table in config.providers.items():
        try:
            found.append(_validated(name, table, kinds, where))
        except ConfigError as error:
            wrong[name] = str(error)
    return Examined(tuple(found), wrong)


def configured(config: RunConfig, where: str = "the configuration") -> tuple[Configured, ...]:
    """Every provider of the configuration, for whom all of them must be valid.

    Raises
    ------
    ConfigError
        Naming ``where`` (the file), the key, and what was expected, for each problem of each
        provider; or as :func:`examined`.
    """
    found = examined(config, where)
    if found.wrong:
        raise ConfigError("\n".join(found.wrong.values()))
    return found.valid


def enabled(known: Sequence[Configured]) -> tuple[Configured, ...]:
    """Those that are asked unless they are named."""
    return tuple(one for one in known if one.options.enabled)


def named(known: Examined, name: str) -> Configured:
    """The provider of that name, enabled or not.

    Raises
    ------
    ConfigError
        If its table is wrong.
    InputError
        If no provider has that name.
    """
    if name in known.wrong:
        raise ConfigError(known.wrong[name])
    for one in known.valid:
        if one.name == name:
            return one
    names = ", ".join([*(one.name for one in known.valid), *known.wrong]) or "none"
    raise InputError(f"no provider is called {name!r}; configured: {names}")


def _validated(
    name: str, table: Mapping[str, Any], kinds: Mapping[str, Provider], where: str
) -> Configured:
    place = f"{where}: providers.{name}"
    kind = table.get("kind", name)
    if not isinstance(kind, str) or kind not in kinds:
        near = get_close_matches(str(kind), kinds, n=1)
        raise ConfigError(
            f"{place}.kind: there is no kind {kind!r}"
            f"{f', did you mean {near[0]!r}?' if near else ''}; expected one of {', '.join(kinds)}"
        )
    provider = kinds[kind]
    for key, value in _leaves(table):
        _without_secret(value, f"{place}.{key}")
        last = key.rpartition(".")[2]
        if last.endswith(_ENV):
            if not isinstance(value, str) or not re.fullmatch(r"[A-Z_][A-Z0-9_]*|", value):
                raise ConfigError(
                    f"{place}.{key}: expected the name of an environment variable in capitals, "
                    "like ECO_COUNTER_KEY; the secret itself belongs in that variable"
                )
        elif key not in provider.options.model_fields and _SECRETS.search(key):
            raise ConfigError(
                f"{place}.{key}: a secret is not written in this file, which is copied and read "
                "by many; put it in an environment variable and name that variable in the key "
                f"{last}{_ENV}"
            )
    try:
        return Configured(name, provider, provider.options.model_validate({**table, "kind": kind}))
    except ValidationError as error:
        raise ConfigError(explain(where, error, f"providers.{name}")) from None


def _without_secret(value: Any, place: str) -> None:
    """Refuse an address that holds a password or a key, without repeating it."""
    for text in value if isinstance(value, list | tuple) else [value]:
        if not isinstance(text, str) or not text.startswith(("http://", "https://")):
            continue
        try:
            parts = urlsplit(text)
        except ValueError:
            continue  # the provider's own check says what is wrong with it
        names = [
            name
            for name, _ in parse_qsl(parts.query)
            if _SECRETS.search(name.lower().replace("-", "_"))
        ]
        if "@" in parts.netloc or names:
            what = f"the parameter {names[0]!r}" if names else "a user or password"
            raise ConfigError(
                f"{place}: the address holds {what}; a secret is not written in this file: put it "
                "in an environment variable, and name that variable in key_env (with the parameter "
                "in key_param, or the header in key_header), or fetch the file into a folder"
            )


def _leaves(value: Any, path: str = "") -> list[tuple[str, Any]]:
    """Every key of a table and of the tables within, with its value."""
    if isinstance(value, Mapping):
        inner = [(f"{path}.{key}" if path else str(key), item) for key, item in value.items()]
        return [leaf for key, item in inner for leaf in _leaves(item, key)]
    if isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
        return [leaf for item in value for leaf in _leaves(item, path)]
    return [(path, value)]


def _named(options: Mapping[str, Any]) -> list[str]:
    return [value for key, value in _leaves(options) if key.endswith(_ENV) and value]
