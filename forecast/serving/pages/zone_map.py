"""The map of the zones: outlines as SVG paths, in a plane where distances are true enough."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

WIDTH = 1000.0
"""Width of the drawing, in its own units."""


@dataclass(frozen=True)
class Outline:
    """One zone drawn: its path, and where its name goes."""

    zone_id: str
    path: str
    x: float
    y: float


@dataclass(frozen=True)
class ZoneMap:
    """All zones, within ``WIDTH`` by ``height``."""

    outlines: tuple[Outline, ...]
    height: float


def zone_map(geometry: Mapping[str, Any] | None, zones: Sequence[Mapping[str, Any]]) -> ZoneMap:
    """Draw the zones of a GeoJSON feature collection, in the order of ``zones``.

    ``zones`` are records of ``/v1/zones``; a feature belongs to the zone whose id one of its
    properties holds. A zone without outline is a disc at its place, so that none is missing.
    """
    shapes = _shapes(geometry, {zone["zone_id"] for zone in zones})
    points = [p for rings in shapes.values() for ring in rings for p in ring]
    points += [(zone["longitude"], zone["latitude"]) for zone in zones]
    west, east = min(x for x, _ in points), max(x for x, _ in points)
    south, north = min(y for _, y in points), max(y for _, y in points)
    # Near enough to conformal for a territory: one scale, degrees of longitude shortened.
    shrink = math.cos(math.radians((south + north) / 2))
    scale = WIDTH / max((east - west) * shrink, 0.05)

    def place(longitude: float, latitude: float) -> tuple[float, float]:
        return (longitude - west) * shrink * scale, (north - latitude) * scale

    outlines = []
    for zone in zones:
        rings = [[place(*p) for p in ring] for ring in shapes.get(zone["zone_id"], ())]
        x, y = place(zone["longitude"], zone["latitude"])
        if rings:
            x, y = _middle(max(rings, key=lambda ring: abs(_area(ring))))
        outlines.append(Outline(zone["zone_id"], _path(rings) if rings else _disc(x, y), x, y))
    return ZoneMap(tuple(outlines), round((north - south) * scale, 1))


_Ring = list[tuple[float, float]]


def _shapes(geometry: Mapping[str, Any] | None, known: set[str]) -> dict[str, list[_Ring]]:
    found: dict[str, list[_Ring]] = {}
    for feature in (geometry or {}).get("features", []):
        owner = known & {str(value) for value in feature["properties"].values()}
        if len(owner) == 1:
            rings = [ring for polygon in _polygons(feature["geometry"]) for ring in polygon]
            found[owner.pop()] = [[(p[0], p[1]) for p in ring] for ring in rings]
    return found


def _polygons(geometry: Mapping[str, Any]) -> Iterator[Any]:
    if geometry["type"] == "Polygon":
        yield geometry["coordinates"]
    elif geometry["type"] == "MultiPolygon":
        yield from geometry["coordinates"]


def _path(rings: list[_Ring]) -> str:
    return "".join("M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in ring[:-1]) + "Z" for ring in rings)


def _disc(x: float, y: float) -> str:
    return f"M{x - 30:.0f} {y:.0f}a30 30 0 1 0 60 0a30 30 0 1 0 -60 0Z"


def _area(ring: _Ring) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring)) / 2


def _middle(ring: _Ring) -> tuple[float, float]:
    """Centre of gravity of a ring."""
    area = _area(ring)
    if not area:
        return ring[0]
    pairs = list(pairwise(ring))
    x = sum((a[0] + b[0]) * (a[0] * b[1] - b[0] * a[1]) for a, b in pairs) / (6 * area)
    y = sum((a[1] + b[1]) * (a[0] * b[1] - b[0] * a[1]) for a, b in pairs) / (6 * area)
    return x, y
