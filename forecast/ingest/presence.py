"""Exports of presence counted by telephone: their rows, their labels, and what makes a day unsure.

One row is the volume of one category of visitors of one provenance in one area on one day. The
volume of a zone is the sum of many rows: if one of them is missing or wrong the zone's day is left
out, never made smaller.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast.errors import ProviderError
from forecast.grid import day_date
from forecast.ingest.cells import NAT, Typed
from forecast.ingest.contract import SourceTable
from forecast.ingest.raw import fold
from forecast.ingest.report import Findings
from forecast.tables import Column, TableSchema

SMALLEST = 20
"""Persons below which the operator gives nothing."""

NEVER_EMPTY = 5 * SMALLEST
"""An area whose median day has as many is never at zero: the threshold alone cannot make it so."""


def _text(name: str, meaning: str, required: bool = True) -> Column:
    return Column(name, "text", "", meaning, required=required)


EXPORT = SourceTable(
    TableSchema(
        "flux_vision",
        "the volume of one category of visitors in one area on one day",
        (
            Column("Date", "date", "", "civil day"),
            _text("ZoneObservation", "area"),
            _text("Provenance", "provenance"),
            _text("CategorieVisiteur", "category of visitors"),
            Column("Volume", "number", "persons", "volume", 0, 5e6),
            _text("NomDepartement", "department of residence", required=False),
            _text("Pays", "country of residence", required=False),
        ),
        ("Date", "ZoneObservation", "Provenance", "CategorieVisiteur"),
    ),
    variables=("Volume",),
    needs=("Volume",),
)
"""Columns of an export; the last two are those of the detailed files."""
DETAIL = ("NomDepartement", "Pays")
"""Columns that make a file a detailed one."""
KEY = ["date", "area", "provenance", "category", *DETAIL]
"""What tells two rows of files of one kind apart."""


@dataclass(frozen=True)
class Labels:
    """Categories and provenances of a kind of file: those counted, and all that are known."""

    counted: tuple[str, ...]
    known: tuple[str, ...]
    provenances: tuple[str, ...]
    others: tuple[str, ...]


def presence(typed: Typed, labels: Labels, findings: Findings) -> pd.DataFrame:
    """The rows of a file that count, and those at fault; columns of :data:`KEY`, ``volume``,
    ``bad``, ``file`` and ``line``.

    Raises
    ------
    ProviderError
        If the file has a category or a provenance that no label names.
    """
    category, provenance = typed.text("CategorieVisiteur"), typed.text("Provenance")
    counted = _among(typed, "CategorieVisiteur", labels.counted, labels.known, "other_categories")
    counted &= _among(typed, "Provenance", labels.provenances, labels.others, "other_provenances")
    volume = typed.numbers("Volume")
    off = (volume < 0) | (volume > 5e6) | ((volume > 0) & (volume < SMALLEST)) | (volume % 1 != 0)
    typed.refuse(
        off & np.isfinite(volume) & ~typed.bad,
        "out_of_bounds",
        "the operator gives no such volume",
        findings,
        "Volume",
        expected=f"0, or a whole number from {SMALLEST}",
        advice="take the export as it was delivered",
    )
    day = typed.integers("Date")
    rows = pd.DataFrame(
        {
            "date": day_date(np.where(day == NAT, 0, day)),
            "area": typed.text("ZoneObservation"),
            "provenance": provenance,
            "category": category,
            **{name: typed.text(name) for name in DETAIL},
            "volume": volume,
            "bad": typed.bad,
            "file": typed.file,
            "line": typed.line,
        }
    )
    # Rows without a readable day or category say nothing of any day that could be spared.
    kept: pd.DataFrame = rows[(counted | typed.bad) & (day != NAT)]
    return kept


def _among(
    typed: Typed, column: str, counted: Iterable[str], known: Iterable[str], option: str
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Rows whose label is counted; a label that is neither counted nor known is an error."""
    yes, no = {fold(label) for label in counted}, {fold(label) for label in known}
    labels = typed.text(column).map(fold).to_numpy(dtype=object)
    strange = ~np.isin(labels, [*yes, *no]) & ~typed.bad
    if strange.any():
        row = int(np.argmax(strange))
        raise ProviderError(
            f"{typed.file}, line {typed.line[row]}, column {column}: the label "
            f"{typed.text(column).iloc[row][:60]!r} is unknown; name it in {option}, or among "
            "those that count"
        )
    return np.isin(labels, list(yes))


def once(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Each row once, though files may overlap; rows that contradict each other are marked bad."""
    rows = rows.drop_duplicates([*KEY, "volume", "bad"])
    clash = rows.duplicated(KEY, keep=False) & ~rows["bad"]
    sentences = [
        f"{row.file}, line {row.line}, column Volume: {row.volume:g}, but another row says "
        f"otherwise of the same day, area ({row.area}) and category; neither is counted"
        for row in rows[clash & rows.duplicated(KEY)].itertuples()
    ]
    return rows.assign(bad=rows["bad"] | clash), sentences


def daily(
    rows: pd.DataFrame, zone_of: Mapping[str, str | None], which: str
) -> tuple[pd.Series, list[str]]:
    """Volume of each zone and day, and a sentence for each that is left out.

    ``zone_of`` gives the zone of an area, ``which`` is the word for the kind of presence. The
    series is indexed by ``zone_id`` and ``date``.
    """
    rows = rows.assign(zone_id=rows["area"].map(zone_of)).dropna(subset="zone_id")
    by = ["zone_id", "date"]
    good = rows[~rows["bad"]].groupby(by)
    sums, areas = good["volume"].sum(), good["area"].nunique()
    usual = areas.groupby("zone_id").transform("max")
    spoilt = sums.index.isin(pd.MultiIndex.from_frame(rows.loc[rows["bad"], by]))
    short = (areas < usual).to_numpy() & ~spoilt
    zero = (sums == 0).to_numpy() & ~spoilt & ~short
    sentences = [
        _left_out(place, f"{which}: an area of the zone is missing") for place in sums.index[short]
    ]
    silent = _silent_areas(rows[~rows["bad"]])
    dead = sums.index.isin(silent.index) & ~spoilt & ~short & ~zero
    why = "which is never so empty; a failure of the delivery, not a measurement"
    sentences += [
        _left_out(place, f"{which}: zero in {silent[place]}, {why}") for place in sums.index[dead]
    ]
    for place in sums.index[zero]:
        zone, date = place
        around = [sums.get((zone, date + pd.Timedelta(days=d))) for d in (-1, 1)]
        beside = ", ".join("none" if value is None else f"{value:g}" for value in around)
        sentences.append(
            _left_out(
                place,
                f"{which}: zero in the whole zone, where the days beside have {beside}"
                "; a failure of the delivery, not a measurement",
            )
        )
    return sums[~spoilt & ~short & ~zero & ~dead], sentences


def _silent_areas(rows: pd.DataFrame) -> pd.Series:
    """One area for each zone and day that has an area at zero whose median day is not small."""
    volume = rows.groupby(["zone_id", "area", "date"])["volume"].sum()
    usual = volume.groupby(["zone_id", "area"]).transform("median")
    silent = volume[(volume == 0) & (usual >= NEVER_EMPTY)].reset_index()
    return silent.groupby(["zone_id", "date"])["area"].first()


def _left_out(place: tuple[str, pd.Timestamp], why: str) -> str:
    return f"zone {place[0]}, {place[1]:%Y-%m-%d}: left out, {why}"
