"""Counts by time steps, as ``etalab/schema-comptage-mobilites`` has them, summed to civil days.

A step counts where it has a number: zero means that nobody passed, an empty cell that nothing was
measured. A day of a site is known if the steps of each of its channels cover it from midnight to
midnight of the civil day, be it 23, 24 or 25 hours long; any other day is left out, and counted.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.grid import day_date, local_days
from forecast.ingest.cells import NAT, Typed
from forecast.ingest.place import Place
from forecast.ingest.report import Findings

Ints = npt.NDArray[np.int64]


MAX_COUNT = 1e7
"""No step of a day or less counts more passages."""
_SECOND = 1_000_000
_OFFSET = r"(?:Z|[+-]\d{2}(?::?\d{2})?)$"


def steps(typed: Typed, time_steps: dict[str, float], findings: Findings) -> pd.DataFrame:
    """The steps of a measure file: columns channel_id, start, end [µs UTC], count.

    ``time_steps`` gives the length [s] of a channel's steps, for files without ``end_datetime``.
    Rows that are at fault are recorded in ``findings`` and left out; an instant without offset is
    at fault, because it may be local time or UTC.
    """
    for name in ("start_datetime", "end_datetime"):
        if name in typed.raw.columns:
            written = typed.raw.columns[name]
            naive = (written != "") & ~written.str.contains(_OFFSET, regex=True)
            typed.refuse(
                naive.to_numpy() & ~typed.bad,
                "not_an_instant",
                "the instant has no offset",
                findings,
                name,
                expected="ISO 8601 with its offset, like 2026-07-14T08:00:00+02:00",
            )
    channel = typed.text("channel_id")
    start, end = typed.integers("start_datetime"), typed.integers("end_datetime")
    step = channel.map(time_steps).to_numpy(dtype=float)
    known = np.isfinite(step)
    derived = start + np.where(known, step, 0).astype(np.int64) * _SECOND
    end = np.where((end == NAT) & (start != NAT) & known, derived, end)
    typed.refuse(
        ~typed.bad & (end == NAT),
        "empty_cell",
        "there is neither end_datetime nor the channel's time_step",
        findings,
        "channel_id",
        expected="one of them: how long the step is",
    )
    typed.refuse(
        ~typed.bad & ((end <= start) | (end - start > 25 * 3600 * _SECOND)),
        "end_before_start",
        "the step ends before it begins, or lasts more than a day",
        findings,
        "start_datetime",
        expected="a step of a second to a day",
    )
    count = typed.numbers("count")
    typed.refuse(
        (count < 0) | (count > MAX_COUNT),
        "out_of_bounds",
        "the number is out of bounds",
        findings,
        "count",
        expected=f"0 to {MAX_COUNT:,.0f} passages",
    )
    frame = pd.DataFrame({"channel_id": channel, "start": start, "end": end, "count": count})
    return frame[~typed.bad]


def channel_days(rows: pd.DataFrame, place: Place) -> tuple[pd.DataFrame, Counter[str]]:
    """Passages of each channel and civil day that its steps cover.

    Parameters
    ----------
    rows
        Columns of :func:`steps`. Rows that repeat others count once.
    place
        Gives the time zone.

    Returns
    -------
    Columns channel_id, day (days since 1970), count (NaN where the day is not covered); and why
    days are not covered, a number of channel-days for each reason.
    """
    rows = rows.drop_duplicates()
    first = _day(rows["start"].to_numpy(), place)
    last = _day(rows["end"].to_numpy() - 1, place)
    # A step across midnight belongs to neither day, and leaves a hole in both.
    both = first != last
    known = rows["count"].notna().to_numpy() & ~both
    counted = pd.DataFrame(
        {
            "channel_id": rows["channel_id"].to_numpy(),
            "day": first,
            "count": np.where(known, rows["count"].to_numpy(), 0.0),
            "covered": np.where(known, (rows["end"] - rows["start"]).to_numpy(), 0),
            "across": both,
        }
    )
    order = np.lexsort((rows["start"].to_numpy(), pd.factorize(rows["channel_id"])[0]))
    sorted_rows = rows.iloc[order]
    same = sorted_rows["channel_id"].to_numpy()[1:] == sorted_rows["channel_id"].to_numpy()[:-1]
    overlaps = same & (sorted_rows["start"].to_numpy()[1:] < sorted_rows["end"].to_numpy()[:-1])
    twice = np.zeros(len(rows), dtype=bool)
    twice[order[1:][overlaps]] = True
    twice[order[:-1][overlaps]] = True
    counted["twice"] = twice
    days = counted.groupby(["channel_id", "day"], as_index=False, sort=True).agg(
        {"count": "sum", "covered": "sum", "across": "any", "twice": "any"}
    )
    number = days["day"].to_numpy(dtype=np.int64)
    length = place.day_end(number) - place.midnight(number)
    full = (days["covered"].to_numpy() == length) & ~days["twice"].to_numpy()
    why: Counter[str] = Counter()
    for reason, mask in (
        ("steps overlap", days["twice"].to_numpy()),
        ("steps cross midnight", ~full & days["across"].to_numpy() & ~days["twice"].to_numpy()),
    ):
        why[reason] += int(mask.sum())
    why["not covered by steps with a count"] = int((~full).sum()) - sum(why.values())
    days.loc[~full, "count"] = np.nan
    return days[["channel_id", "day", "count"]], +why


def site_days(days: pd.DataFrame, channels: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Passages of each site and civil day, of those whose channels in service are all known.

    A channel is in service from ``started_at`` to ``ended_at``. Without the former, from the first
    day that speaks of it; a channel of which nothing speaks at all is in service always, because
    a dead counter must not pass for nobody.

    Parameters
    ----------
    days
        Result of :func:`channel_days`.
    channels
        Columns channel_id, site_id, started, ended (days since 1970; NaN where not given).

    Returns
    -------
    Columns site_id, date, count; and how many site-days were left out.
    """
    begun = days.groupby("channel_id")["day"].min()
    table = channels.assign(
        started=channels["started"].fillna(channels["channel_id"].map(begun)).fillna(-np.inf),
        ended=channels["ended"].fillna(np.inf),
    )
    spoken = days.merge(table, on="channel_id")
    wanted = spoken[["site_id", "day"]].drop_duplicates().merge(table, on="site_id")
    wanted = wanted[wanted["day"].between(wanted["started"], wanted["ended"])]
    wanted = wanted.merge(days, on=["channel_id", "day"], how="left")
    wanted["unknown"] = wanted["count"].isna()
    sums = wanted.groupby(["site_id", "day"], as_index=False, sort=True).agg(
        {"count": "sum", "unknown": "any"}
    )
    good = sums[~sums["unknown"]]
    return pd.DataFrame(
        {
            "site_id": good["site_id"].to_numpy(),
            "date": day_date(good["day"].to_numpy(dtype=np.int64)),
            "count": good["count"].to_numpy(dtype=float),
        }
    ), int(sums["unknown"].sum())


def _day(micros: Ints, place: Place) -> Ints:
    instants = pd.DatetimeIndex(micros.astype("datetime64[us]"), tz="UTC")
    return local_days(instants, place.timezone).astype(np.int64)
