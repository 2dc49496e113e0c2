"""Car parks as they stand, in the national format: capacity and position by id.

A real-time feed rarely says how large a car park is and where; its ids are looked up here.

References
----------
https://schema.data.gouv.fr/etalab/schema-stationnement (0.1.5): names of columns and their
meaning [V].
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from pathlib import Path

import numpy as np
from pydantic import Field, field_validator

from forecast.ingest.contract import SourceTable
from forecast.ingest.documents import Document, FileOptions, documents
from forecast.ingest.http import Client
from forecast.ingest.keyed import KeyedOptions
from forecast.ingest.place import Place
from forecast.ingest.polling import PollOptions
from forecast.ingest.provider import Setting
from forecast.ingest.report import Findings
from forecast.ingest.tabular import EVERY_ROW, read_table, refused
from forecast.tables import Column, TableSchema

CAR_PARKS = SourceTable(
    TableSchema(
        "stationnement",
        "car parks of etalab/schema-stationnement",
        (
            Column("id", "text", "", "identifier of the car park", example="14220-P-001"),
            Column("nom", "text", "", "name of the car park", required=False, example="Plage"),
            Column("insee", "text", "", "commune", required=False, example="14220"),
            Column("nb_places", "number", "spaces", "spaces open to all", 0, 1e5, required=False),
            Column("Xlong", "number", "°", "longitude", -180, 180, required=False),
            Column("Ylat", "number", "°", "latitude", -90, 90, required=False),
        ),
        ("id",),
    ),
    variables=("nb_places",),
    needs=("nb_places",),
    site="id",
)
"""The columns that are read of the national schema; the others are ignored."""


class ParkingOptions(PollOptions, KeyedOptions):
    """Where car parks are and how large, where their feed does not say so."""

    inventory: str = Field(
        default="",
        description="URL or absolute path of the car parks in etalab/schema-stationnement",
    )
    zones: dict[str, str] = Field(
        default_factory=dict, description="zone or commune of a car park, by its id in the feed"
    )
    capacities: dict[str, float] = Field(
        default_factory=dict, description="spaces of a car park, by its id in the feed"
    )

    @field_validator("inventory")
    @classmethod
    def _place(cls, value: str) -> str:
        if (
            value
            and not value.startswith(("http://", "https://"))
            and not Path(value).is_absolute()
        ):
            raise ValueError(f"inventory is {value!r}; expected a URL or an absolute path")
        return value

    @field_validator("capacities")
    @classmethod
    def _spaces(cls, value: dict[str, float]) -> dict[str, float]:
        for name, spaces in value.items():
            if not 0 < spaces <= 1e5:
                raise ValueError(f"capacities of {name!r}: {spaces:g}; expected 1 to 100,000")
        return value


@dataclass(frozen=True)
class CarPark:
    """What the inventory says of a car park; NaN and empty where it does not."""

    capacity: float = nan
    latitude: float = nan
    longitude: float = nan
    insee: str = ""


def read_car_parks(document: Document, place: Place) -> tuple[dict[str, CarPark], tuple[str, ...]]:
    """Car parks by id, and a sentence for each row that is refused.

    Raises
    ------
    ProviderError
        If the file as a whole cannot be read.
    """
    findings = Findings(keep=EVERY_ROW)
    typed = read_table(document, CAR_PARKS, place, findings)
    good = np.flatnonzero(~typed.bad)
    columns = [typed.numbers(name)[good] for name in ("nb_places", "Ylat", "Xlong")]
    spaces, latitude, longitude = (column.tolist() for column in columns)
    parks = {
        name: CarPark(size if size > 0 else nan, y, x, insee)
        for name, size, y, x, insee in zip(
            typed.text("id").iloc[good],
            spaces,
            latitude,
            longitude,
            typed.text("insee").iloc[good],
            strict=True,
        )
    }
    return parks, refused(findings)


def inventory(
    options: ParkingOptions, setting: Setting, client: Client
) -> tuple[dict[str, CarPark], tuple[str, ...]]:
    """The car parks of ``options.inventory``; none where it is not given."""
    given = options.inventory
    if not given:
        return {}, ()
    path = Path(given)
    file = (
        FileOptions(url=given)
        if given.startswith(("http://", "https://"))
        else FileOptions(folder=str(path.parent), glob=path.name)
    )
    parks: dict[str, CarPark] = {}
    wrong: tuple[str, ...] = ()
    for document in documents(file, client):
        found, sentences = read_car_parks(document, Place.of(setting.config))
        parks |= found
        wrong += sentences
    return parks, wrong
