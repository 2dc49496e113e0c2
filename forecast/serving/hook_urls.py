"""Which addresses a webhook may have: never one that only this machine or its network can reach.

A server that sends requests wherever it is told is a door into its network (SSRF). The name is
resolved when the webhook is added and again at each delivery, and the request goes to the very
address that was looked at, so that a name that changes in between opens nothing.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from forecast.errors import HookError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_UNICAST = ipaddress.ip_network("2000::/3")
"""Where every IPv6 address is that anybody can reach (RFC 4291); translated ones (NAT64) and those
that hold an IPv4 address are outside."""

_SPECIAL = tuple(
    map(
        ipaddress.ip_network,
        ("2001::/32", "2002::/16", "3fff::/20", "192.0.0.0/24", "192.88.99.0/24"),
    )
)
"""Teredo, 6to4, documentation, protocol assignments, 6to4 relays: `is_global` misses some."""


@dataclass(frozen=True)
class Target:
    """Where a request goes: the address looked at, and what the URL says."""

    url: SplitResult
    address: Address

    @property
    def host(self) -> str:
        """The host that the URL names."""
        return self.url.hostname or ""

    @property
    def pinned(self) -> str:
        """The URL with the address in place of the name."""
        place = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        port = f":{self.url.port}" if self.url.port else ""
        return self.url._replace(netloc=place + port).geturl()


def target_of(url: str, allowed_hosts: Collection[str] = ()) -> Target:
    """Resolve and vet a URL.

    ``allowed_hosts`` may be named whatever they resolve to, and with plain http.

    Raises
    ------
    HookError
        Saying what of the URL is refused.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise HookError(f"is no URL ({error})") from error
    if not re.fullmatch(r"[!-~]+", url):
        raise HookError("must be ASCII without blanks; encode other characters (%C3%A9, xn--...)")
    trusted = host in allowed_hosts
    if parts.scheme != "https" and not (parts.scheme == "http" and trusted):
        raise HookError("must begin with https://")
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        raise HookError("must name a host, without user, password or fragment")
    addresses = _addresses(host, port or parts.scheme)
    if not trusted and not all(is_public(address) for address in addresses):
        raise HookError("leads to a private or reserved network, where nothing is sent")
    return Target(parts, addresses[0])


def _addresses(host: str, port: int | str) -> list[Address]:
    """Every address of a host, which may be one."""
    try:
        return [ipaddress.ip_address(host)]
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError) as error:
        raise HookError(f"names a host that cannot be found ({host[:100]})") from error
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


def is_public(address: Address) -> bool:
    """Whether anybody on the internet can reach an address.

    >>> [is_public(ipaddress.ip_address(a)) for a in ("1.1.1.1", "10.0.0.1", "169.254.169.254")]
    [True, False, False]
    >>> [is_public(ipaddress.ip_address(a)) for a in ("::1", "::ffff:127.0.0.1", "64:ff9b::a00:1")]
    [False, False, False]
    """
    if address.version == 6:
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address not in _UNICAST:
            return False
    if any(address in network for network in _SPECIAL):
        return False
    return address.is_global and not address.is_multicast
