"""How much one client may ask: requests in a minute by address and by key, and sizes.

Token buckets, as many as fit in bounded memory; the ``RateLimit`` headers are those of
draft-ietf-httpapi-ratelimit-headers-11.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope

from forecast.serving.headers import RawHeaders
from forecast.serving.options import Network, ServerOptions
from forecast.serving.problems import (
    BODY_TOO_LARGE,
    HEAD_TOO_LARGE,
    TOO_MANY_REQUESTS,
    TOO_SLOW,
    URL_TOO_LONG,
    ProblemError,
)

_WINDOW = 60.0  # Seconds over which quotas are said, in which an empty bucket is full again.

UNCOUNTED = frozenset(("/health/live", "/health/ready"))
"""Paths that are asked at any rate: who watches the server must not be refused."""

MAX_DOCUMENT = 1 << 20
"""Largest body of a request that sends no file [bytes]: it is read before the key is looked at."""

MAX_BUCKETS = 20_000
"""Clients remembered; beyond it the half that has asked least recently is forgotten (3 MB)."""


class Spent(NamedTuple):
    """What a request cost: the policy, what is left of it, and when a token comes back."""

    policy: str
    quota: int
    left: int
    refused: bool
    wait: int

    def headers(self) -> RawHeaders:
        """``RateLimit-Policy`` and ``RateLimit`` (structured fields, RFC 9651)."""
        return [
            (b"ratelimit-policy", b'"%s";q=%d;w=60' % (self.policy.encode(), self.quota)),
            (b"ratelimit", b'"%s";r=%d;t=%d' % (self.policy.encode(), self.left, self.wait)),
        ]


class Buckets:
    """One token bucket for each client of one policy: ``quota`` tokens, refilled in a minute."""

    def __init__(self, policy: str, quota: int, most: int = MAX_BUCKETS) -> None:
        self.policy, self.quota, self._most = policy, quota, most
        self._rate = quota / _WINDOW
        self._levels: dict[str, list[float]] = {}

    def take(self, client: str, now: float) -> Spent:
        """Take a token for ``client`` at ``now`` [s, a clock that never goes back]."""
        bucket = self._levels.get(client)
        if bucket is None:
            bucket = self._levels[client] = [float(self.quota), now]
            if len(self._levels) > self._most:
                self._forget()
        level = min(float(self.quota), bucket[0] + (now - bucket[1]) * self._rate)
        refused = level < 1.0
        if not refused:
            level -= 1.0
        bucket[0], bucket[1] = level, now
        # Refused: until a token comes. Else until the bucket is full again.
        missing = 1.0 - level if refused else self.quota - level
        return Spent(self.policy, self.quota, int(level), refused, int(missing / self._rate) + 1)

    def _forget(self) -> None:
        """Forget the half of the clients that have asked least recently."""
        oldest = sorted(self._levels, key=lambda client: self._levels[client][1])
        for client in oldest[: len(oldest) // 2]:
            del self._levels[client]

    def __len__(self) -> int:
        return len(self._levels)


class Limiter:
    """The policies of a server: reads and writes by address, and requests by key."""

    def __init__(self, options: ServerOptions) -> None:
        self.reads = Buckets("reads", options.rate_limit)
        self.writes = Buckets("writes", options.write_rate_limit)
        self.keys = Buckets("key", options.key_rate_limit)
        self._unlimited = options.unlimited
        self._bucket = lru_cache(maxsize=4096)(self._found)

    def ask(self, scope: Scope, now: float) -> Spent | None:
        """Count a request against its address; None where the address is not limited."""
        bucket = self._bucket(client_of(scope))
        if bucket is None or scope["path"].removeprefix(scope["root_path"]) in UNCOUNTED:
            return None
        reading = scope["method"] in ("GET", "HEAD")
        return (self.reads if reading else self.writes).take(bucket, now)

    def _found(self, address: str) -> str | None:
        return None if is_within(address, self._unlimited) else bucket_of(address)


def client_of(scope: Scope) -> str:
    """Address of the client, a trusted proxy's word for it included; empty on a unix socket."""
    client = scope.get("client")
    return client[0] if client else ""


def is_within(address: str, networks: Sequence[Network]) -> bool:
    """Whether an address is in one of the networks; what is no address is in none.

    >>> is_within("127.0.0.1", (ipaddress.ip_network("127.0.0.0/8"),))
    True
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in networks)


def bucket_of(address: str) -> str:
    """Who shares a bucket: an IPv4 address, or the /64 that one IPv6 subscriber has to himself.

    >>> bucket_of("192.0.2.7"), bucket_of("2001:db8::1"), bucket_of("::ffff:192.0.2.7")
    ('192.0.2.7', '2001:db8::/64', '192.0.2.7')
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((int(found) >> 64 << 64, 64)))
    return address


def refused_by(spent: Spent) -> ProblemError:
    """The 429 of a request that found its bucket empty."""
    return ProblemError(
        TOO_MANY_REQUESTS,
        f"More than {spent.quota} requests in a minute ({spent.policy}). Wait {spent.wait} s; "
        "poll with If-None-Match, and ask for all zones in one call.",
        headers={"retry-after": str(spent.wait)},
    )


def head_problem(scope: Scope, options: ServerOptions) -> ProblemError | None:
    """What is wrong with the sizes of a request before its body, if anything."""
    url = len(scope.get("raw_path") or scope["path"].encode()) + len(scope["query_string"])
    if url > options.max_url:
        return ProblemError(
            URL_TOO_LONG,
            f"The URL has {url} bytes, at most {options.max_url} are read. {URL_TOO_LONG.remedy}",
        )
    head = url + sum(len(name) + len(value) + 4 for name, value in scope["headers"])
    if head > options.max_head:
        return ProblemError(
            HEAD_TOO_LARGE,
            f"The headers have {head} bytes, at most {options.max_head} are read. "
            f"{HEAD_TOO_LARGE.remedy}",
        )
    length = header(scope, b"content-length")
    most = largest_body(scope, options)
    if length is not None and length.isdigit() and int(length) > most:
        return _too_large(most)
    return None


def largest_body(scope: Scope, options: ServerOptions) -> int:
    """How large the body of a request may be [bytes]; only files may be larger than a document."""
    sends_file = scope["path"].endswith("/files")
    return options.max_body if sends_file else min(MAX_DOCUMENT, options.max_body)


def _too_large(most: int) -> ProblemError:
    return ProblemError(
        BODY_TOO_LARGE, f"The body has more than {most} bytes. {BODY_TOO_LARGE.remedy}"
    )


def limited_receive(receive: Receive, most: int, seconds: float) -> Receive:
    """``receive`` that counts the body and gives it ``seconds`` in all, whatever its length says.

    The bytes beyond ``most`` are never held: the count is taken as they come.

    Raises
    ------
    HTTPException
        From the returned function, 413 or 408: FastAPI lets no other error of a body through.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    size, complete = 0, False

    async def limited() -> Message:
        nonlocal size, complete
        if complete:  # What comes now is the end of the connection, for which one may wait.
            return await receive()
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            raise HTTPException(
                408,
                f"The body did not come within {seconds:g} seconds. {TOO_SLOW.remedy}",
                {"connection": "close"},
            ) from None
        size += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        if size > most:
            raise HTTPException(413, _too_large(most).detail)
        return message

    return limited


def header(scope: Scope, name: bytes) -> bytes | None:
    """The last value of a request header, or None."""
    found = None
    for key, value in scope["headers"]:
        if key == name:
            found = value
    return found
