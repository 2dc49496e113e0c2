"""Answers that list forecasts one a line, so that a filter only cuts bytes.

This module runs in the serving process: the standard library only.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

SEPARATOR, TAIL = b",\n", b"\n]}\n"
"""What stands between two rows of a listing, and after the last."""

LEVELS = ("vert", "orange", "rouge", "noir")
"""As :data:`forecast.levels.LEVELS`, which the serving process cannot import."""


def to_json(value: Any) -> bytes:
    """A JSON document without spaces, UTF-8; a number that is not finite is an error."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def freshness(about: Mapping[str, Any]) -> str:
    """How fresh each source was at the origin, on one line, for formats that hold no objects.

    >>> late = {"source": "waste", "newest_date": "2026-07-01", "missed_runs": 2}
    >>> freshness({"sources": [{**late, "source": "events", "newest_date": None}, late]})
    'events:none:2 waste:2026-07-01:2'
    """
    return " ".join(
        f"{entry['source']}:{entry['newest_date'] or 'none'}:{entry['missed_runs']}"
        for entry in about["sources"]
    )


@dataclass(frozen=True)
class Selection:
    """Which forecasts: bounds are included, None takes all.

    ``level`` is the position in :data:`LEVELS` of the least severe level wanted; zones without
    levels are left out then. ``quantiles`` names those that ``influx`` keeps.
    """

    zone_ids: tuple[str, ...] | None = None
    first: date | None = None
    last: date | None = None
    horizons: tuple[int, ...] | None = None
    level: int | None = None
    quantiles: tuple[str, ...] | None = None

    @property
    def everything(self) -> bool:
        """Whether it leaves nothing out."""
        return self == Selection()


@dataclass(frozen=True)
class Listing:
    """An answer that lists forecasts one a line, and the columns needed to pick among the lines.

    The rows begin at byte ``head``; row i is ``body[starts[i]:ends[i]]``. ``zones`` (rows,) are
    indices into ``zone_ids``, ``days`` (rows,) proleptic ordinals of target dates, ``horizons``
    (rows,) in days and ``levels`` (rows,) positions in :data:`LEVELS`, −1 where there is none.
    """

    body: bytes
    head: int
    zone_ids: tuple[str, ...]
    starts: array[int]
    ends: array[int]
    zones: array[int]
    days: array[int]
    horizons: array[int]
    levels: array[int]

    @classmethod
    def of(cls, body: bytes, name: str = "forecasts") -> Self:
        """Find the rows of an answer that was written by :func:`write_lines`."""
        start = body.index(f'"{name}":[\n'.encode()) + len(name) + 5
        rows = body[start : -len(TAIL)]
        lines = rows.split(SEPARATOR) if rows else []
        records = [json.loads(line) for line in lines]
        return cls.indexed(body, start, [len(line) for line in lines], records)

    @classmethod
    def indexed(
        cls,
        body: bytes,
        head: int,
        lengths: Sequence[int],
        records: Sequence[Mapping[str, Any]],
    ) -> Self:
        """The listing of these records, whose lines have these lengths [bytes]."""
        starts = array("l")
        position = head
        for length in lengths:
            starts.append(position)
            position += length + len(SEPARATOR)
        zone_ids = {record["zone_id"]: 0 for record in records}
        rank = {zone_id: i for i, zone_id in enumerate(zone_ids)}
        return cls(
            body,
            head,
            tuple(zone_ids),
            starts,
            array("l", (s + n for s, n in zip(starts, lengths, strict=True))),
            array("l", (rank[record["zone_id"]] for record in records)),
            array("l", (date.fromisoformat(r["target_date"]).toordinal() for r in records)),
            array("l", (record["horizon_days"] for record in records)),
            array("l", (_rank(record["level"]) for record in records)),
        )

    def columns(self) -> dict[str, Any]:
        """What :meth:`restored` needs besides the body, for a JSON document."""
        arrays = ("starts", "ends", "zones", "days", "horizons", "levels")
        facts = {name: list(getattr(self, name)) for name in arrays}
        return {"head": self.head, "zone_ids": list(self.zone_ids), **facts}

    @classmethod
    def restored(cls, body: bytes, columns: Mapping[str, Any]) -> Self:
        """The listing whose :meth:`columns` these are."""
        names = ("starts", "ends", "zones", "days", "horizons", "levels")
        arrays = [array("l", columns[name]) for name in names]
        return cls(body, columns["head"], tuple(columns["zone_ids"]), *arrays)

    def about(self) -> dict[str, Any]:
        """What stands before the list: the metadata and, for a weekend, its days and totals."""
        found: dict[str, Any] = json.loads(self.body[: self.head] + TAIL)
        del found["forecasts"]
        return found

    def lines(self, wanted: Selection) -> list[bytes]:
        """The rows that are wanted, as they are in the body."""
        low = wanted.first.toordinal() if wanted.first else 0
        high = wanted.last.toordinal() if wanted.last else date.max.toordinal()
        zones = None
        if wanted.zone_ids is not None:
            zones = {i for i, zone_id in enumerate(self.zone_ids) if zone_id in wanted.zone_ids}
        least = -1 if wanted.level is None else wanted.level
        return [
            self.body[start:end]
            for start, end, zone, day, horizon, level in zip(
                self.starts, self.ends, self.zones, self.days, self.horizons, self.levels,
                strict=True,
            )
            if low <= day <= high
            and level >= least
            and (zones is None or zone in zones)
            and (wanted.horizons is None or horizon in wanted.horizons)
        ]  # fmt: skip

    def records(self, wanted: Selection) -> list[dict[str, Any]]:
        """The rows that are wanted, read, with the quantiles that are wanted."""
        return [_narrowed(json.loads(line), wanted.quantiles) for line in self.lines(wanted)]

    def select(self, wanted: Selection) -> bytes:
        """The same answer with only what is wanted, totals of a weekend included."""
        if wanted.quantiles is None:
            rows = self.lines(wanted)
        else:
            rows = [to_json(record) for record in self.records(wanted)]
        return self._head(wanted) + SEPARATOR.join(rows) + TAIL

    def _head(self, wanted: Selection) -> bytes:
        head = self.body[: self.head]
        if wanted.zone_ids is None and wanted.quantiles is None:
            return head
        about = self.about()
        if "totals" not in about:
            return head
        about["totals"] = totals(about["totals"], wanted)
        return to_json(about)[:-1] + b',"forecasts":[\n'


def totals(found: Iterable[dict[str, Any]], wanted: Selection) -> list[dict[str, Any]]:
    """Totals of a weekend: of the zones that are wanted, of the territory if all are."""
    return [
        _narrowed(total, wanted.quantiles)
        for total in found
        if wanted.zone_ids is None or total["zone_id"] in wanted.zone_ids
    ]


def write_lines(
    head: Mapping[str, Any], name: str, records: Sequence[Mapping[str, Any]]
) -> tuple[bytes, int, list[int]]:
    """A JSON object that ends in a list with one record a line.

    Returns
    -------
    tuple
        Its bytes, where the first row begins, and the length of each row [bytes].
    """
    start = to_json(head)[:-1] + f',"{name}":[\n'.encode()
    rows = [to_json(record) for record in records]
    return start + SEPARATOR.join(rows) + TAIL, len(start), [len(row) for row in rows]


def _narrowed(record: dict[str, Any], quantiles: Sequence[str] | None) -> dict[str, Any]:
    if quantiles is not None:
        record["influx"] = {name: record["influx"][name] for name in quantiles}
    return record


def _rank(level: str | None) -> int:
    return -1 if level is None else LEVELS.index(level)
