"""How the server behaves, from the environment: limits, proxies, origins, open scopes.

Where things are is :class:`forecast.settings.Settings`; every variable is in docs/serving.md.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from forecast.errors import ConfigError

SCOPES = ("scenarios", "webhooks", "uploads", "metrics")
"""What a key may be good for."""

LOOPBACK_NETWORKS = tuple(map(ipaddress.ip_network, ("127.0.0.0/8", "::1/128")))
PREFIX = "AFFLUX_"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class ServerOptions:
    """Options of the serving process; each field is read from ``AFFLUX_`` and its name in capitals.

    Attributes
    ----------
    cors_origins
        Origins whose pages may read the answers with a script; none by default.
    trusted_proxies
        Addresses or networks whose ``X-Forwarded-For`` is believed; none by default.
    open_scopes
        Scopes that need no key.
    unlimited
        Networks whose requests are not counted against the limits by address.
    webhook_hosts
        Hosts that webhooks may name whatever network they are in, and with plain http.
    rate_limit, write_rate_limit, key_rate_limit
        Requests per minute: reads of one address, all others of one address, those of one key.
    max_body, max_url, max_head
        Largest request body, URL, and request line with headers [bytes].
    head_seconds, body_seconds
        Time in which a request's head, and then its body, must have come [s].
    max_connections
        Connections held at once; 0 is what the limit of open files allows.
    access_log
        Whether requests are logged.
    """

    cors_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[Network, ...] = ()
    open_scopes: tuple[str, ...] = ()
    unlimited: tuple[Network, ...] = LOOPBACK_NETWORKS
    webhook_hosts: tuple[str, ...] = ()
    rate_limit: int = 600
    write_rate_limit: int = 60
    key_rate_limit: int = 120
    max_body: int = 16 * 1024 * 1024
    max_url: int = 8 * 1024
    max_head: int = 32 * 1024
    head_seconds: int = 10
    body_seconds: int = 30
    max_connections: int = 0
    access_log: bool = True

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read the options; what is not set keeps its default, what is set empty is none.

        Raises
        ------
        ConfigError
            If a value cannot be what it says, naming the variable, the value and what is expected.
        """
        env = os.environ if environment is None else environment
        given = {
            field.name: _read(variable(field.name), env[variable(field.name)], str(field.type))
            for field in fields(cls)
            if variable(field.name) in env
        }
        return cls(**given)  # type: ignore[arg-type]


def variable(name: str) -> str:
    """The environment variable of an option.

    >>> variable("max_body")
    'AFFLUX_MAX_BODY'
    """
    return PREFIX + name.upper()


def _read(name: str, text: str, kind: str) -> object:
    parts = tuple(part.strip() for part in text.split(",") if part.strip())
    if kind == "int":
        return _whole(name, text)
    if kind == "bool":
        return _on_or_off(name, text)
    if "Network" in kind:
        return tuple(_network(name, part) for part in parts)
    if name == variable("open_scopes"):
        return tuple(_scope(name, part) for part in parts)
    if name == variable("webhook_hosts"):
        return tuple(_host(name, part) for part in parts)
    return tuple(_origin(name, part) for part in parts)


def _whole(name: str, text: str) -> int:
    # AFFLUX_MAX_CONNECTIONS alone may be 0; elsewhere 0 would let nothing through.
    least = 0 if name == variable("max_connections") else 1
    if not (text.isdecimal() and text.isascii() and int(text) >= least):
        raise ConfigError(f"{name}={text!r}: expected a whole number, {least} or more")
    return int(text)


def _on_or_off(name: str, text: str) -> bool:
    if text not in ("on", "off"):
        raise ConfigError(f"{name}={text!r}: expected on or off")
    return text == "on"


def _network(name: str, text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise ConfigError(
            f"{name}: {text!r} is no address and no network ({error}); expected such as 10.0.0.7 "
            "or 10.0.0.0/24, separated by commas"
        ) from error


def _scope(name: str, text: str) -> str:
    if text not in SCOPES:
        raise ConfigError(f"{name}: {text!r} is no scope; expected some of {', '.join(SCOPES)}")
    return text


def _host(name: str, text: str) -> str:
    if not re.fullmatch(r"[a-z0-9.-]+|[0-9a-f:]+", text):
        raise ConfigError(
            f"{name}: {text!r} is no host; expected such as hooks.example.org or 127.0.0.1, in "
            "lower case, without scheme or port, separated by commas"
        )
    return text


def _origin(name: str, text: str) -> str:
    if not re.fullmatch(
        r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]+)?", text
    ):
        raise ConfigError(
            f"{name}: {text!r} is no origin; expected such as https://www.example.org, in lower "
            "case, without a path, separated by commas (there is no wildcard)"
        )
    return text
