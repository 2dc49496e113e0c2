"""Weighbridge tickets, one row for each load weighed: the layout that Afflux publishes for them.

France has no national schema for them; ``docs/schemas/waste_tickets.json`` is ours, made from
:data:`TICKETS`. Days of a round are the sum of its tickets, so a ticket that cannot be read makes
the whole round-day unknown, never lighter.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.errors import ProviderError
from forecast.ingest.cells import NAT, Typed
from forecast.ingest.contract import SourceTable
from forecast.ingest.raw import fold
from forecast.ingest.report import Findings
from forecast.tables import Column, TableSchema

HEAVIEST_KG = 60_000.0
"""No lorry on the road weighs more when loaded, so no ticket does [kg]."""
LIGHTEST_USUAL_KG = 60.0
"""Tickets whose median is below are tonnes written as kilograms [kg]."""

STREAMS: dict[str, str] = {
    "omr": "OMR",
    "om": "OMR",
    "orduresmenageres": "OMR",
    "orduresmenageresresiduelles": "OMR",
    "cs": "CS",
    "collecteselective": "CS",
    "emballages": "CS",
    "tri": "CS",
    "verre": "verre",
    "biodechets": "biodéchets",
    "decheterie": "déchèterie",
}
"""The stream that each word means, by the word without case, accents and spaces."""


def _text(name: str, meaning: str, example: str, required: bool = False) -> Column:
    return Column(name, "text", "", meaning, required=required, example=example)


TICKETS = SourceTable(
    TableSchema(
        "waste_tickets",
        "a load of waste weighed: a ticket of the weighbridge",
        (
            _text("ticket", "number of the ticket; the same number is counted once", "P-2026-0412"),
            Column("date_collecte", "date", "", "civil day of collection", example="2026-07-14"),
            _text("flux", "OMR, CS, verre, biodéchets or déchèterie", "OMR", required=True),
            _text("tournee", "round; one name for ever", "OM-12"),
            _text("zone_id", "zone, as in territory.toml; or give code_insee", "200066827"),
            _text("code_insee", "commune collected, where rounds are not mapped to zones", "14333"),
            Column(
                "tonnage_kg", "number", "kg", "net weight", 0, HEAVIEST_KG, False, example="8420"
            ),
            Column(
                "tonnage_t",
                "number",
                "t",
                "net weight, where tonnage_kg is absent",
                0,
                HEAVIEST_KG / 1000,
                False,
                example="8.42",
            ),
        ),
        ("ticket",),
    ),
    variables=("tonnage_kg", "tonnage_t"),
)
"""Columns of a file of tickets."""


def tickets(
    typed: Typed,
    names: Mapping[str, str],
    streams: Mapping[str, str],
    today: int,
    findings: Findings,
) -> pd.DataFrame:
    """The rows of a file, those at fault included.

    Parameters
    ----------
    typed
        The file; rows at fault are marked in it.
    names
        The file's name of each column of :data:`TICKETS`, where it is another.
    streams
        Further words for streams: one of the five, by the file's word.
    today
        The present civil day (days since 1970); nothing is collected after it.

    Returns
    -------
    Columns ``ticket``, ``stream`` (empty where unknown), ``round``, ``zone``, ``commune``, ``day``
    (days since 1970, NAT where unreadable), ``tonnes``, ``bad``, ``file``, ``line``.

    Raises
    ------
    ProviderError
        If the weights of the file are plainly tonnes in a column of kilograms.
    """
    called = {name: names.get(name, name) for name in TICKETS.schema.names}
    words = {**STREAMS, **{fold(word): stream for word, stream in streams.items()}}
    written = typed.text(called["flux"])
    known = [words.get(fold(str(word)), "") for word in written]
    stream = np.array(known, dtype=object)
    typed.refuse(
        (stream == "") & ~typed.bad,
        "out_of_bounds",
        "the waste is of no known stream",
        findings,
        called["flux"],
        expected=", ".join(sorted(set(STREAMS.values()))),
        advice="name the word in key streams",
    )
    typed.refuse(
        (typed.integers(called["date_collecte"]) > today) & ~typed.bad,
        "date_in_future",
        "the day is still to come",
        findings,
        called["date_collecte"],
        expected="a day on which waste was collected",
        advice="is the day written before the month?",
    )
    tonnes = _tonnes(typed, called, findings)
    return pd.DataFrame(
        {
            "ticket": typed.text(called["ticket"]),
            "stream": stream,
            "round": typed.text(called["tournee"]),
            "zone": typed.text(called["zone_id"]),
            "commune": typed.text(called["code_insee"]),
            "day": typed.integers(called["date_collecte"]),
            "tonnes": tonnes,
            "bad": typed.bad,
            "file": typed.file,
            "line": typed.line,
        }
    )


def _tonnes(typed: Typed, called: Mapping[str, str], findings: Findings) -> npt.NDArray[np.float64]:
    """Weight of each row [t]; rows without one are refused."""
    kilograms, tonnes = typed.numbers(called["tonnage_kg"]), typed.numbers(called["tonnage_t"])
    there = kilograms[np.isfinite(kilograms) & (kilograms > 0)]
    if len(there) >= 5 and np.median(there) < LIGHTEST_USUAL_KG:
        raise ProviderError(
            f"{typed.file}, column {called['tonnage_kg']}: half of the tickets weigh less than "
            f"{np.median(there):g} kg, which looks like tonnes; name the column tonnage_t, or say "
            f'columns = {{tonnage_t = "{called["tonnage_kg"]}"}}'
        )
    for name, values, high, unit, advice in (
        ("tonnage_kg", kilograms, HEAVIEST_KG, "kg", ""),
        ("tonnage_t", tonnes, HEAVIEST_KG / 1000, "t", "this looks like kilograms: divide by 1000"),
    ):
        typed.refuse(
            ((values < 0) | (values > high)) & ~typed.bad,
            "out_of_bounds",
            "the weight is out of bounds",
            findings,
            called[name],
            expected=f"0 to {high:,g} {unit}",
            advice=advice if bool((values > high).any()) else "",
        )
    weight = np.where(np.isfinite(kilograms), kilograms / 1000, tonnes)
    column = called["tonnage_kg" if called["tonnage_kg"] in typed.columns else "tonnage_t"]
    typed.refuse(
        ~np.isfinite(weight) & ~typed.bad,
        "empty_cell",
        "the ticket has no weight",
        findings,
        column,
        expected="a net weight in every row",
    )
    return weight


def complete(rows: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Good rows whose round-day has no row at fault, and how many round-days were left out.

    A row at fault without a readable day or stream touches nothing: nobody can say what it is of.
    """
    key = ["stream", "round", "day"]
    wrong = rows[rows["bad"] & (rows["day"] != NAT) & (rows["stream"] != "")]
    spoilt = pd.MultiIndex.from_frame(wrong[key]).unique()
    good = rows[~rows["bad"]]
    touched = pd.MultiIndex.from_frame(good[key]).isin(spoilt)
    return good[~touched], len(spoilt)
