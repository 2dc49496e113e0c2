"""Zones with their forecasts as GeoJSON (RFC 7946), for a GIS.

One feature a zone. Properties are flat, named by horizon (``level_d0``, ``p50_d0`` …), so that a
style made once colours every later publication. This module runs in the serving process: the
standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

MEDIA_TYPE = "application/geo+json"


def zone_features(
    zones: Iterable[Mapping[str, Any]], geometry: Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    """Each zone with its outline, or its point where no outline is known.

    ``geometry`` is a GeoJSON FeatureCollection whose features have the zone's id among their
    properties.
    """
    shapes: dict[str, Any] = {}
    for feature in (geometry or {}).get("features", []):
        for value in (feature.get("properties") or {}).values():
            shapes.setdefault(str(value), feature.get("geometry"))
    return [
        {
            "type": "Feature",
            "id": zone["zone_id"],
            "geometry": shapes.get(zone["zone_id"])
            or {"type": "Point", "coordinates": [zone["longitude"], zone["latitude"]]},
            "properties": dict(zone),
        }
        for zone in zones
    ]


def collection(features: Iterable[Mapping[str, Any]], about: Mapping[str, Any]) -> dict[str, Any]:
    """A FeatureCollection that says where it comes from (a foreign member, RFC 7946 § 6.1)."""
    return {"type": "FeatureCollection", "metadata": dict(about), "features": list(features)}


def with_forecasts(
    features: Iterable[Mapping[str, Any]],
    records: Sequence[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """The zones that have any of these forecasts, with them among their properties."""
    by_zone: dict[str, dict[str, Any]] = {}
    for record in records:
        flat = by_zone.setdefault(record["zone_id"], {})
        day = f"d{record['horizon_days']}"
        flat[f"date_{day}"] = record["target_date"]
        flat[f"level_{day}"] = record["level"]
        for name, persons in record["influx"].items():
            flat[f"{name}_{day}"] = persons
    return [
        {**feature, "properties": {**feature["properties"], **by_zone[str(feature["id"])]}}
        for feature in features
        if feature["id"] in by_zone
    ]
