"""Which files of Météo-France hold which days, from the catalogue of data.gouv.fr.

Names rotate every January (``latest-2025-2026`` becomes ``latest-2026-2027``), so the years are
read from the names and never supposed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from forecast.errors import ProviderError

_NAME = re.compile(
    r"Q_(?P<departement>\d{2,3}|2[AB])_(?P<period>latest|previous)-(?P<first>\d{4})-(?P<last>\d{4})"
    r"_(?P<lot>[A-Za-z-]+)\.csv(\.gz)?",
    re.ASCII,
)


@dataclass(frozen=True)
class ClimateFile:
    """A file of one département, from the year ``first`` to ``last``; ``latest`` says that it is
    the one that still grows."""

    name: str
    url: str
    departement: str
    lot: str
    first: int
    last: int
    latest: bool


def parse_catalogue(answer: Any, where: str) -> list[ClimateFile]:
    """The daily files among the resources of a data set (parsed JSON); others are passed over.

    Raises
    ------
    ProviderError
        If it is not the description of a data set, or lists no such file.
    """
    resources = answer.get("resources") if isinstance(answer, dict) else None
    if not isinstance(resources, list):
        raise ProviderError(
            f"{where}: expected a data set with its 'resources', found {str(answer)[:80]!r}"
        )
    found = [file for file in map(_file, resources) if file]
    if not found:
        raise ProviderError(
            f"{where}: none of its {len(resources)} resources is a daily file named like "
            "Q_76_latest-2025-2026_RR-T-Vent.csv.gz; has the data set moved?"
        )
    return found


def _file(resource: Any) -> ClimateFile | None:
    if not isinstance(resource, dict):
        return None
    url, title = str(resource.get("url", "")), str(resource.get("title", ""))
    if not url.startswith(("https://", "http://")):
        return None
    try:
        last_part = urlsplit(url).path.rpartition("/")[2]
    except ValueError:
        return None
    match = _NAME.fullmatch(last_part) or _NAME.fullmatch(title.strip())
    if not match:
        return None
    return ClimateFile(
        match[0],
        url,
        match["departement"],
        match["lot"],
        int(match["first"]),
        int(match["last"]),
        match["period"] == "latest",
    )


def choose(
    files: Sequence[ClimateFile],
    departements: Sequence[str],
    lots: Sequence[str],
    since: date,
    until: date,
    where: str,
) -> list[ClimateFile]:
    """The files that hold the days from ``since`` to ``until``, for each département and lot.

    The file that grows is taken to hold the new year too, until it is renamed in January.

    Raises
    ------
    ProviderError
        If a département or a lot has none.
    """
    chosen: list[ClimateFile] = []
    for departement in departements:
        for lot in lots:
            mine = [file for file in files if (file.departement, file.lot) == (departement, lot)]
            these = [
                file
                for file in mine
                if file.first <= until.year and (file.latest or file.last >= since.year)
            ]
            if not these:
                there = ", ".join(sorted(file.name for file in mine)) or "none of that kind"
                raise ProviderError(
                    f"{where}: no file Q_{departement}_..._{lot} holds {since.year} to "
                    f"{until.year}; there is {there}"
                )
            chosen += sorted(these, key=lambda file: file.first)
    return chosen
