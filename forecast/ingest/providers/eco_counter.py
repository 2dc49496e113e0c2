"""Counters of cyclists and walkers by the Eco-Counter API; an account is needed.

A token for user, password and the account's hash; the sites; then the counts of each site by day,
at most 100 days a request. A count that is null is missing, not zero. Days are asked for whole and
stored when they are over; those of the last month are asked for again, since counters upload late.

Routes and fields as read in several third parties' code [E]; that a site has ``latitude`` and
``longitude`` [E], that ``step=day`` means days of the site's own time zone [M]: a day that does not
begin at midnight in the territory is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any, ClassVar, cast

import pandas as pd
from pydantic import Field

from forecast.errors import ProviderError
from forecast.ingest.daily_counts import read_counts
from forecast.ingest.facts import facts
from forecast.ingest.fields import number, text
from forecast.ingest.http import Client, secret
from forecast.ingest.provider import About, Batch, Options, Piece, Setting, Span

CHUNK_DAYS = 100
"""Days of one request, which the API allows at most [d]."""
SETTLED_DAYS = 30
"""Age from which counts are taken to be final [d]."""
_EPOCH = date(1970, 1, 1)


class EcoCounterOptions(Options):
    """The account, and where sites are that the API places nowhere or wrongly."""

    base_url: str = Field(
        default="https://apieco.eco-counter-tools.com",
        pattern=r"^https?://",
        description="address of the API",
    )
    sites_path: str = Field(default="/api/site", description="route of the sites")
    data_path: str = Field(default="/api/data/site", description="route of the counts of a site")
    user_env: str = Field(
        default="ECO_COUNTER_USER", description="environment variable that holds the user's name"
    )
    password_env: str = Field(
        default="ECO_COUNTER_PASSWORD", description="environment variable that holds the password"
    )
    hash_env: str = Field(
        default="ECO_COUNTER_HASH",
        description="environment variable that holds the account's hash (Authorization: Basic)",
    )
    zones: dict[str, str] = Field(
        default_factory=dict, description="zone or commune of a site, by its id"
    )
    left_out: tuple[str, ...] = Field(default=(), description="ids of sites that are not read")


class EcoCounter:
    """Daily counts of Eco-Counter sites."""

    kind: ClassVar[str] = "eco-counter"
    options: ClassVar[type[Options]] = EcoCounterOptions
    about: ClassVar[About] = About(
        title="Compteurs Eco-Counter (vélos, piétons)",
        sources=("mobility",),
        homepage="https://www.eco-counter.com",
        licence="that of the account's owner",
        attribution="Eco-Counter",
        terms="an account of the owner of the counters (user, password, hash); 100 days a request",
        verified="routes and fields read in several third parties' code; the API itself was not "
        "reached",
    )

    def pieces(self, options: Options, span: Span, setting: Setting) -> Iterator[Piece]:
        """Blocks of 100 days, always the same ones, up to yesterday."""
        today = setting.now.tz_convert(setting.config.timezone).date()
        until = min(span.until, today - timedelta(days=1))
        first = (span.since - _EPOCH).days // CHUNK_DAYS
        for block in range(first, (until - _EPOCH).days // CHUNK_DAYS + 1):
            since = _EPOCH + timedelta(days=block * CHUNK_DAYS)
            last = since + timedelta(days=CHUNK_DAYS - 1)
            settled = last < today - timedelta(days=SETTLED_DAYS)
            yield Piece(f"{since}/{last}", settled, since, min(last, today - timedelta(days=1)))

    def fetch(self, piece: Piece, options: Options, setting: Setting, client: Client) -> Batch:
        """See :class:`forecast.ingest.provider.Provider`.

        A site that cannot be fetched is reported and does not stop the others; but a block that
        will not be asked for again fails as a whole, so that nothing of it is missed for ever.
        """
        given = cast(EcoCounterOptions, options)
        base = given.base_url.rstrip("/")
        headers = {"Authorization": f"Bearer {_token(base, given, client)}"}
        answer = client.get(base + given.sites_path, headers=headers)
        sites, unplaced, refused = read_sites(answer.json(), given, setting, name=answer.url)
        parts = []
        for site, zone in sites.items():
            try:
                counts = client.get(
                    f"{base}{given.data_path}/{site}", _period(piece), headers=headers
                )
                rows, wrong = read_counts(
                    counts.json(), setting.config.timezone, site=site, name=counts.url
                )
            except ProviderError as error:
                if piece.settled or len(sites) == 1:
                    raise
                refused.append(f"site {site}: {error}")
                continue
            first, last = map(pd.Timestamp, _ends(piece))
            within = rows["date"].between(first, last)
            refused += wrong
            parts.append(rows[within].assign(zone_id=zone, site_id=f"{setting.name}:{site}"))
        if sites and not parts:
            raise ProviderError("\n".join(refused))
        table = pd.concat(parts) if parts else pd.DataFrame()
        batch = facts("mobility", table, ["count"], provider=setting.name, config=setting.config)
        return Batch(batch.observations, batch.derived, unplaced, tuple(refused))


def _token(base: str, options: EcoCounterOptions, client: Client) -> str:
    form = {
        "grant_type": "password",
        "username": secret(options.user_env),
        "password": secret(options.password_env),
    }
    basic = {"Authorization": f"Basic {secret(options.hash_env)}"}
    answer = client.post(f"{base}/token", form, headers=basic)
    said = answer.json()
    token = said.get("access_token") if isinstance(said, dict) else None
    if not isinstance(token, str) or not token:
        raise ProviderError(f"{answer.url}: the answer has no access_token; check the account")
    return token


def _ends(piece: Piece) -> tuple[date, date]:
    if piece.since is None or piece.until is None:
        raise ValueError("a piece of counts has both ends")
    return piece.since, piece.until


def _period(piece: Piece) -> dict[str, str]:
    since, until = _ends(piece)
    return {
        "begin": f"{since}T00:00:00",
        "end": f"{until + timedelta(days=1)}T00:00:00",
        "step": "day",
        "complete": "false",
    }


def read_sites(
    found: Any, options: EcoCounterOptions, setting: Setting, *, name: str
) -> tuple[dict[str, str], dict[str, int], list[str]]:
    """Zone of each site, the sites in no zone, and a sentence for each entry that is refused.

    Raises
    ------
    ProviderError
        If it is no list of sites.
    """
    if not isinstance(found, list):
        raise ProviderError(f"{name}: expected a list of sites, found {type(found).__name__}")
    sites: dict[str, str] = {}
    nowhere: Counter[str] = Counter()
    refused: list[str] = []
    for place, entry in enumerate(found, start=1):
        try:
            if not isinstance(entry, Mapping) or not text(entry.get("id")).isalnum():
                raise ValueError("there is no id; expected {id, name, latitude, longitude}")
            site = text(entry["id"])
            y, x = (number(entry.get(key), key, small=True) for key in ("latitude", "longitude"))
        except ValueError as error:
            refused.append(f"{name}, site {place}: {error}")
            continue
        if site in options.left_out:
            continue
        given = options.zones.get(site)
        places = setting.places
        zone = places.zone_of_code(given) if given else places.zones_of_points([y], [x])[0]
        if zone is None:
            nowhere[f"site {site}"] += 1
        else:
            sites[site] = str(zone)
    return sites, dict(nowhere), refused


PROVIDER = EcoCounter()
