"""Bicycles past nineteen counters of Nantes Métropole, 2014 to 2019, as an input folder.

``influx`` is the bicycles past one counter and way on a day, a number of passages and not of
visitors. Rows the publisher marks as probable anomalies are left out, as are days without a count;
counters that begin late, stop early or fall silent for months are kept as they are, but for one
that had gone before the year that is scored. Two counters have no number, so that their names are
the zones. There is neither weather nor a second source.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.panels.folder import main, unpeopled

START = "2014-01-01"
DATA = "nantes_counters"
"""Folder of the data set."""

COUNTERS = (
    "Bd Malakoff vers Est",
    "Bd Malakoff vers Ouest",
    "Bouaye_cote_maison",
    "Bouaye_cote_stade",
    "Calvaire_vers_Est",
    "Calvaire_vers_Ouest",
    "Chaussée de la Madeleine",
    "Cours_Des_50_Otages_Sud",
    "De_Gaulle_vers_Nord",
    "De_Gaulle_vers_Sud",
    "La Chapelle sur Erdre",
    "Pont A. Briand vers Nord",
    "Pont A. Briand vers Sud",
    "Pont Tabarly vers Sud",
    "Pont_A_de_Bretagne_Nord_vers_Sud",
    "Pont_A_de_Bretagne_Sud_vers_Nord",
    "Pont_Haudaudine_vers_Nord",
    "Pont_Haudaudine_vers_Sud",
    "Prairie_de_Mauves",
)


def zone_of(name: str) -> str:
    """Identifier of a counter: its name in plain small letters.

    >>> zone_of("Chaussée de la Madeleine")
    'chaussee-de-la-madeleine'
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def panel(data: Path) -> tuple[Mapping[str, Any], Mapping[str, pd.DataFrame]]:
    """The territory and its table, from the file of the data set."""
    days = pd.read_csv(data / "counts_2014_2019_daily.csv.gz")
    days = days[days["anom"].isna() & days["count"].notna() & (days["date"] >= START)]
    days = days[days["name"].isin(COUNTERS)]
    influx = pd.DataFrame(
        {
            "zone_id": days["name"].map({name: zone_of(name) for name in COUNTERS}),
            "date": days["date"],
            "influx": days["count"],
        }
    )
    return territory(), {"influx": influx.sort_values(["zone_id", "date"], ignore_index=True)}


def territory() -> Mapping[str, Any]:
    """Content of territory.toml."""
    return {
        "id": "nantes",
        "name": "Nantes Métropole, vélos par compteur",
        "country": "FR",
        "school": "Zone B",
        "attribution": "Nantes Métropole",
        "licence": "ODbL",
        # Counters report overnight.
        "sources": {"influx": {"publication_delay_hours": 8.0}},
        "training": {"start": START},
        "zones": unpeopled({zone_of(name): name for name in COUNTERS}, 47.218, -1.554),
    }


if __name__ == "__main__":
    main("nantes", panel, __doc__, DATA)
