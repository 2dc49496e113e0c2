"""Places of a territory: which zone a point, a commune or a code belongs to."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import shapely

from forecast.config import RunConfig
from forecast.errors import ConfigError

COLUMNS = ("commune_id", "zone_id", "name")
"""Header of the file of communes."""

REACH_KM = 0.3
"""How far outside every outline a point still belongs to the nearest: beaches and quays lie on the
seaward side of outlines that are simplified [km]."""
_KM_PER_DEGREE = 111.2

_IDS = ("zone_id", "siren", "code", "id")
"""Properties under which an outline may name its zone, where its own ``id`` does not."""


@dataclass(frozen=True)
class Places:
    """Zones by commune and by outline.

    ``centres`` holds (latitude, longitude) in degrees by zone, ``communes`` the zone of each INSEE
    code, ``tree`` the outlines of the zones ``outlined``, in the same order, as drawn by `_plane`.
    ``digest`` changes with the files they were read from.
    """

    centres: Mapping[str, tuple[float, float]]
    communes: Mapping[str, str]
    tree: shapely.STRtree
    outlined: tuple[str, ...]
    latitude: float
    digest: str

    @classmethod
    def of(cls, config: RunConfig, folder: Path) -> Self:
        """The places of a configuration whose files lie in ``folder``, or in the package.

        Raises
        ------
        ConfigError
            If ``communes`` or ``geometry`` names a file that is absent or cannot be used.
        """
        centres = {zone.id: (zone.latitude, zone.longitude) for zone in config.zones}
        communes, outlines, digest = {}, {}, hashlib.sha256()
        if config.communes:
            where, text = _read(folder, config.communes, "communes")
            communes = _communes(where, text, centres)
            digest.update(text.encode())
        if config.geometry:
            where, text = _read(folder, config.geometry, "geometry")
            outlines = _outlines(where, text, centres)
            digest.update(text.encode())
        middle = float(np.mean([latitude for latitude, _ in centres.values()]))
        drawn = [shapely.transform(shape, _plane(middle)) for shape in outlines.values()]
        tree = shapely.STRtree(drawn)
        return cls(centres, communes, tree, tuple(outlines), middle, digest.hexdigest())

    def centre(self, zone_id: str) -> tuple[float, float]:
        """Latitude and longitude of a zone's main town [degrees]."""
        return self.centres[zone_id]

    def zone_of_commune(self, insee: str) -> str | None:
        """The zone of a commune, by its INSEE code of five characters; None if in no zone."""
        return self.communes.get(insee.strip().upper())

    def zone_of_code(self, code: str) -> str | None:
        """The zone of that id, or of the commune of that INSEE code; None if neither."""
        given = code.strip()
        return given if given in self.centres else self.zone_of_commune(given)

    def zones_of_points(
        self, latitude: npt.ArrayLike, longitude: npt.ArrayLike
    ) -> npt.NDArray[np.object_]:
        """The zone whose outline holds each point [degrees], shape (points,); None where none does.

        A point on the border of two zones is in the first of them in the file; one outside of all
        outlines, by :data:`REACH_KM` at most, is in the nearest. Outlines may be simplified: near a
        border the zone may be the neighbour.
        """
        y, x = np.asarray(latitude, dtype=float), np.asarray(longitude, dtype=float)
        found = np.full(y.shape, None, dtype=object)
        # No place on earth: beyond some size it would overflow, too.
        known = np.flatnonzero((np.abs(y) <= 90) & (np.abs(x) <= 180))
        points = shapely.points(_plane(self.latitude)(np.column_stack([x[known], y[known]])))
        point, outline = self.tree.query(points, predicate="intersects")
        for row, zone in sorted(zip(point, outline, strict=True), reverse=True):
            found[known[row]] = self.outlined[zone]
        outside = np.flatnonzero([zone is None for zone in found[known]])
        if len(outside) and self.outlined:
            near = self.tree.query_nearest(points[outside], REACH_KM, all_matches=False)
            for row, zone in near.T:
                found[known[outside[row]]] = self.outlined[zone]
        return found


def _plane(latitude: float) -> Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]:
    """Turns (longitude, latitude) in degrees, shape (points, 2), into kilometres on a plane that is
    true around ``latitude``: at the size of a territory, to some parts in a thousand."""
    scale = _KM_PER_DEGREE * np.array([np.cos(np.radians(latitude)), 1.0])
    return lambda points: points * scale


def _read(folder: Path, name: str, key: str) -> tuple[str, str]:
    """Where a file was found, and its text: beside the configuration, else in the package."""
    path = folder / name
    asset = resources.files("forecast").joinpath("assets", Path(name).name)
    try:
        if path.is_file():
            return str(path), path.read_text(encoding="utf-8-sig")
        if asset.is_file():
            return name, asset.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text ({error})") from error
    raise ConfigError(
        f"{path}: not found; the key `{key}` of the configuration names it: put the file beside "
        "the configuration, or remove the key"
    )


def _communes(where: str, text: str, zones: Mapping[str, object]) -> dict[str, str]:
    rows = csv.DictReader(io.StringIO(text), strict=True)
    missing = [name for name in COLUMNS[:2] if name not in (rows.fieldnames or ())]
    if missing:
        raise ConfigError(f"{where}: no column {missing[0]!r}; expected {','.join(COLUMNS)}")
    found: dict[str, str] = {}
    for row in rows:
        line = f"{where}: line {rows.line_num}"
        commune, zone = (row["commune_id"] or "").strip().upper(), (row["zone_id"] or "").strip()
        if len(commune) != 5 or not commune.isalnum():
            raise ConfigError(f"{line}: commune_id {commune!r}; expected the five-character code")
        if zone not in zones:
            raise ConfigError(f"{line}: zone_id {zone!r} is no zone of the configuration")
        if found.setdefault(commune, zone) != zone:
            raise ConfigError(
                f"{line}: commune {commune} is in two zones, {found[commune]}, {zone}"
            )
    return found


def _outlines(where: str, text: str, zones: Mapping[str, object]) -> dict[str, Any]:
    try:
        features = json.loads(text)["features"]
        drawn = [feature for feature in features if feature["geometry"] is not None]
        shapes = [(f, shapely.from_geojson(json.dumps(f["geometry"]))) for f in drawn]
    except (ValueError, KeyError, TypeError, RecursionError, shapely.errors.GEOSException):
        raise ConfigError(
            f"{where}: expected a GeoJSON FeatureCollection with one polygon for each zone"
        ) from None
    found = {}
    for feature, shape in shapes:
        properties = feature.get("properties") or {}
        names = [feature.get("id"), *(properties.get(key) for key in _IDS)]
        zone = next((str(name) for name in names if str(name) in zones), None)
        if zone is not None and shape is not None and not shape.is_empty:
            found[zone] = shapely.make_valid(shape)
    if not found:
        raise ConfigError(
            f"{where}: no outline names a zone of the configuration; expected its id as the "
            f"feature's `id` or a property {', '.join(_IDS)}"
        )
    return found
