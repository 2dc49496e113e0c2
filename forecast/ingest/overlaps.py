"""Tickets each counted once, though the files they come in overlap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable

import pandas as pd

from forecast.grid import day_date

_LOAD = ["stream", "round", "zone", "commune", "day"]


def once(rows: pd.DataFrame) -> tuple[pd.DataFrame, int, list[str]]:
    """Rows of :func:`forecast.ingest.tickets.tickets`, how many copies were dropped of them, and a
    sentence for each that contradicts another.

    Of tickets with one number that say different things the first is kept, and marked bad. Tickets
    without a number are compared by file: see :func:`_unnumbered`.
    """
    rows, copies, sentences = _numbered(rows)
    rows, more, again = _unnumbered(rows)
    return rows, copies + more, [*sentences, *again]


def _numbered(rows: pd.DataFrame) -> tuple[pd.DataFrame, int, list[str]]:
    numbered = rows[(rows["ticket"] != "") & ~rows["bad"]]
    again = numbered.duplicated("ticket", keep="first")
    if not again.any():
        return rows, 0, []
    said = ["ticket", *_LOAD, "tonnes"]
    other = numbered[again & ~numbered.duplicated(said, keep="first")]
    sentences = [
        f"{file}, line {line}: ticket {ticket!r} was given before with another day, round or "
        "weight; expected one row for each ticket: neither is counted"
        for file, line, ticket in zip(other["file"], other["line"], other["ticket"], strict=True)
    ]
    kept = rows.drop(index=numbered.index[again])
    contradicted = kept["ticket"].isin(set(other["ticket"])) & (kept["ticket"] != "")
    return kept.assign(bad=kept["bad"] | contradicted), int(again.sum()) - len(other), sentences


def _unnumbered(rows: pd.DataFrame) -> tuple[pd.DataFrame, int, list[str]]:
    """Tickets without a number of one round and day that stand in several files.

    If the weights of one file are all among those of another, they are copies; if two files have no
    weight in common, they are other tickets. Else nobody can say which: they are marked bad.
    """
    loose = rows[(rows["ticket"] == "") & ~rows["bad"]]
    files = loose.groupby(_LOAD)["file"].transform("nunique")
    copies: list[Hashable] = []
    unsure: list[Hashable] = []
    sentences = []
    for (stream, name, *_, day), group in loose[files > 1].groupby(_LOAD):
        weights = {
            str(file): Counter(part["tonnes"].round(6)) for file, part in group.groupby("file")
        }
        kept: list[str] = []
        for file in sorted(weights, key=lambda name: (-weights[name].total(), name)):
            shared = [other for other in kept if weights[file] & weights[other]]
            if any(weights[file] <= weights[other] for other in shared):
                copies += group.index[group["file"] == file].tolist()
            elif shared:
                unsure += group.index.tolist()
                sentences.append(
                    f"{file}: tickets without a number of {stream}, round {name!r}, on "
                    f"{day_date([day])[0]:%Y-%m-%d} are partly those of {shared[0]}; expected "
                    "numbers in column ticket, or each day in one file: none of them is counted"
                )
                break
            else:
                kept.append(file)
    return (
        rows.assign(bad=rows["bad"] | rows.index.isin(unsure)).drop(index=copies),
        len(copies),
        sentences,
    )
