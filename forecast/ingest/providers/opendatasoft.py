"""Any data set of an Opendatasoft portal (Explore API v2.1), mapped to a source by configuration.

Checked in the OpenAPI description: `records` (limit at most 100, offset + limit below 10,000),
`exports`, the keys of errors 400 and 429. Seen in third-party code: exports that break inside a
200 with a line of text. From memory, untested: the header `Authorization: Apikey …`. Whatever a
stream says, its records are counted against `total_count`, and an incomplete one is not kept.

Reference: https://help.opendatasoft.com/apis/ods-explore-v2/
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any, ClassVar

from pydantic import Field, field_validator

from forecast.errors import ConfigError, ProviderError
from forecast.ingest.answers import excerpt
from forecast.ingest.contract import CONTRACT
from forecast.ingest.http import Client, secret
from forecast.ingest.mapping import Mapped
from forecast.ingest.provider import About, Batch, Options, Piece, Setting, Span
from forecast.ingest.records import to_batch

_PAGE = 100
"""Records of one page, the most that `records` gives."""

_BY_PAGES = 1000
"""So many records are read page by page; more come in one export."""

_JSON = ("application/json",)
_LINES = (
    "application/x-ndjson", "application/jsonl", "application/json", "application/jsonlines",
    "application/x-jsonlines", "application/json-lines", "text/plain", "application/octet-stream",
)  # fmt: skip


class OpendatasoftOptions(Mapped):
    """A data set, its mapping, and how it is cut into pieces.

    Pieces are windows of ``window_days`` on a fixed calendar; one that ended ``settled_days`` ago
    is settled. Of events, ``ahead_days`` to come are asked for too. ``where`` is a condition in
    ODSQL beside that on the day.
    """

    base_url: str = Field(description="address of the portal, like https://data.example.org")
    dataset: str = Field(pattern=r"^[A-Za-z0-9_@.-]+$", description="identifier of the data set")
    where: str = Field(default="", description="condition in ODSQL")
    key_env: str = Field(default="", description="environment variable that holds the API key")
    window_days: int = Field(default=31, ge=1, le=3660, description="days asked for at once [d]")
    settled_days: int = Field(
        default=14, ge=1, le=3660, description="after so many days a window does not change [d]"
    )
    ahead_days: int = Field(default=180, ge=0, le=3660, description="days to come, of events [d]")

    @field_validator("base_url")
    @classmethod
    def _address(cls, value: str) -> str:
        if not re.match(r"https?://[^/?#]+[^?#]*$", value):
            raise ValueError("expected an address like https://data.example.org")
        return value.rstrip("/")


class Opendatasoft:
    """See the module."""

    kind: ClassVar[str] = "opendatasoft"
    about: ClassVar[About] = About(
        title="Opendatasoft portals",
        sources=("influx", "mobility", "parking", "waste", "events"),
        homepage="https://help.opendatasoft.com/apis/ods-explore-v2/",
        licence="that of the data set; see its page on the portal",
        attribution="that of the data set",
        terms="quotas of each portal for anonymous and for keyed use; 429 says when to come back",
        verified="Paths, limits and errors read in the OpenAPI description of Explore v2.1; the "
        "broken stream seen in third-party code; the header of the key from memory.",
    )
    options: ClassVar[type[Options]] = OpendatasoftOptions

    def pieces(self, options: Options, span: Span, setting: Setting) -> Iterator[Piece]:
        """Windows that cover ``span``, oldest first; of measurements, only days that are over."""
        chosen = _options(options)
        if chosen.zone and setting.places.zone_of_code(chosen.zone) is None:
            raise ConfigError(
                f"providers.{setting.name}.zone: {chosen.zone!r} is neither a zone nor a commune "
                "of the territory"
            )
        today = setting.now.tz_convert(setting.config.timezone).date()
        last = span.until
        if CONTRACT[chosen.source].measured:
            last = min(last, today - timedelta(days=1))
        elif last >= today:
            last = max(last, today + timedelta(days=chosen.ahead_days))
        first, length = span.since.toordinal() // chosen.window_days, chosen.window_days
        for window in range(first, last.toordinal() // length + 1):
            since = date.fromordinal(max(window * length, 1))
            until = date.fromordinal((window + 1) * length - 1)
            settled = until < today - timedelta(days=chosen.settled_days)
            yield Piece(f"{since}/{until}", settled, since, until)

    def fetch(self, piece: Piece, options: Options, setting: Setting, client: Client) -> Batch:
        """All records of a window, whole or not at all."""
        chosen = _options(options)
        if piece.since is None or piece.until is None:
            raise ProviderError(f"{piece.key}: a piece of this kind is a window of days")
        today = setting.now.tz_convert(setting.config.timezone).date()
        until = piece.until
        if CONTRACT[chosen.source].measured:
            until = min(until, today - timedelta(days=1))
        records = _records(chosen, Span(piece.since, until), client)
        where = f"{chosen.base_url}, {chosen.dataset}, {piece.key}"
        return to_batch(records, chosen, Span(piece.since, until), setting, where)


def _options(options: Options) -> OpendatasoftOptions:
    if not isinstance(options, OpendatasoftOptions):
        raise TypeError(f"expected OpendatasoftOptions, got {type(options).__name__}")
    return options


def _records(options: OpendatasoftOptions, span: Span, client: Client) -> list[Mapping[str, Any]]:
    """The records of a span and of the days around it, which the portal's time zone may move."""
    headers = {"Authorization": f"Apikey {secret(options.key_env)}"} if options.key_env else {}
    url = f"{options.base_url}/api/explore/v2.1/catalog/datasets/{options.dataset}"
    query = {
        "select": ",".join(_quoted(name) for name in options.fields),
        "where": _condition(options, span),
        "order_by": ",".join(_quoted(n) for n in options.fields if n != options.point_field),
    }

    def page(offset: int) -> tuple[int, list[Mapping[str, Any]]]:
        asked = {**query, "limit": str(_PAGE), "offset": str(offset)}
        answer = client.get(f"{url}/records", asked, headers=headers, accept=_JSON)
        return parse_page(answer.body, answer.url)

    total, found = page(0)
    if total > _BY_PAGES:
        answer = client.get(f"{url}/exports/jsonl", query, headers=headers, accept=_LINES)
        found = parse_lines(answer.body, answer.url)
        if len(found) < total:
            raise ProviderError(
                f"{answer.url}: the export ended after {len(found):,} of {total:,} records; "
                "nothing of it was kept"
            )
        return found
    while len(found) < total:
        again, more = page(len(found))
        found += more
        if again != total or not more:
            raise ProviderError(
                f"{url}: the records changed while they were read ({total:,}, then {again:,}); "
                "nothing of them was kept"
            )
    return found


def _condition(options: OpendatasoftOptions, span: Span) -> str:
    """Days around ``span``, by one more on either side; of events, all that last into it."""
    first, last = _quoted(options.date_field), _quoted(options.end_field or options.date_field)
    since, until = span.since - timedelta(days=1), span.until + timedelta(days=2)
    days = f"{last} >= date'{since}' AND {first} < date'{until}'"
    if options.end_field:  # an event of one day may have no last day
        one_day = f"({last} IS NULL AND {first} >= date'{since}')"
        days = f"({last} >= date'{since}' OR {one_day}) AND {first} < date'{until}'"
    return f"({options.where}) AND {days}" if options.where else days


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) else f"`{name}`"


def parse_page(body: bytes, url: str) -> tuple[int, list[Mapping[str, Any]]]:
    """``total_count`` and the records of an answer of `records`.

    Raises
    ------
    ProviderError
        If it is anything else.
    """
    try:
        said = json.loads(body)
        total, results = said["total_count"], said["results"]
    except (ValueError, KeyError, TypeError, RecursionError):
        total, results = None, None
    if (
        not isinstance(total, int)
        or not isinstance(results, list)
        or not all(isinstance(record, dict) for record in results)
    ):
        raise ProviderError(
            f"{url}: expected JSON with total_count and results, the answer begins with "
            f"{excerpt(body)}"
        )
    return total, results


def parse_lines(body: bytes, url: str) -> list[Mapping[str, Any]]:
    """The records of an export, one JSON object a line.

    Raises
    ------
    ProviderError
        If any line is anything else, as where the portal breaks off with a line of text.
    """
    found: list[Mapping[str, Any]] = []
    for number, line in enumerate(body.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            raise ProviderError(
                f"{url}: line {number:,} is no record but {excerpt(line, 160)}; the export broke "
                "off, and nothing of it was kept"
            )
        found.append(record)
    return found


PROVIDER = Opendatasoft()
