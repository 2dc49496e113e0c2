"""Catch-up days: a day of rest that is worked because a feast fell earlier in its week.

Where a round is not run on a feast, it is run a day later, and the last one on the day the place
rests: a weighbridge that is all but closed on Saturdays is as full as on any Friday in the week of
Christmas. Of such a day nothing else that is known says anything: the recent Saturdays are near
empty, and the feast's other years are few days among thousands. So it is looked up: if the day of
rest was worked on the last two occasions of the same feast, it will be worked again, and as full in
proportion to the place's mean day as it then was. A place that never rests has no such day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from forecast.daily import Daily
from forecast.matrix import FeatureMatrix

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MEAN = "history_mean_56"
"""The column, mean of the last 56 known days, by which influx is told from one year to the next."""

_MEAN_DAYS = 56
_REST, _WORKED = 0.2, 0.5
"""Below which share of a zone's median day a weekday is usually, and above which it was worked."""
_MIN_DAYS = 364
_TIMES = 2
_LEAST_SPREAD = 0.1


class Told(NamedTuple):
    """Median [visitors day⁻¹] and spread, in log, of each question, shape (questions,).

    NaN where the question is not about a catch-up day.
    """

    median: Doubles
    spread: Doubles

    def instead(
        self, levels: Sequence[float], quantiles: Doubles, members: Doubles
    ) -> tuple[Doubles, Doubles]:
        """Quantiles, shape (questions, quantiles), and members, (questions, members), as told.

        Of a catch-up day all say the same, whatever they would have said; ``levels`` are those of
        the quantiles, of which the logs are taken to be normal.
        """
        known = np.isfinite(self.median)[:, None]
        normal = np.array([NormalDist().inv_cdf(level) for level in levels])
        told = np.exp(np.log(self.median)[:, None] + self.spread[:, None] * normal)
        return np.where(known, told, quantiles), np.where(known, self.median[:, None], members)


@dataclass(frozen=True)
class CatchUp:
    """What each zone does in the weeks of which feasts, shape (rules, 5).

    A rule is the position of a zone, a weekday (0: Monday), a feast (``Daily.feasts``), and the
    median and the spread of the log of influx over the mean of 56 days.
    """

    rules: Doubles

    @classmethod
    def none(cls) -> Self:
        """Of zones that never rest."""
        return cls(np.empty((0, 5)))

    @classmethod
    def fit(cls, daily: Daily, influx: Doubles) -> Self:
        """Learn from ``influx`` [visitors day⁻¹], shape (zones, days) on the days of ``daily``.

        A day without influx between the first and the last known one counts as empty: a place that
        is closed has no rows. Zones with less than a year are left out.
        """
        weekday = _weekday(daily.first_day + np.arange(daily.days))
        rules = [
            (zone, *rule)
            for zone, line in enumerate(influx)
            for rule in _rules(line, weekday, daily.feasts[zone])
        ]
        return cls(np.array(rules, dtype=np.float64).reshape(-1, 5))

    @classmethod
    def read(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """From :meth:`arrays`, among others; none from a bundle older than these rules."""
        return cls(arrays["catch_up"]) if "catch_up" in arrays else cls.none()

    def arrays(self) -> dict[str, Doubles]:
        """What a file must keep, by name."""
        return {"catch_up": self.rules}

    def told(self, matrix: FeatureMatrix, daily: Daily, zone: Ints) -> Told:
        """What is known of the questions about catch-up days; ``zone`` is their zone's position.

        Where a week has two such feasts the mean of both is told.
        """
        grid, found = matrix.grid, Told(*np.full((2, len(matrix.grid)), np.nan))
        day = grid.target_day.astype(np.int64)
        weekday, place = _weekday(day), day - daily.first_day
        for z, rest in sorted({(int(rule[0]), int(rule[1])) for rule in self.rules}):
            own = self.rules[(self.rules[:, 0] == z) & (self.rules[:, 1] == rest)]
            for row in np.flatnonzero((zone == z) & (weekday == rest) & (place >= rest)):
                week = daily.feasts[grid.row_zone[row], place[row] - rest : place[row]]
                mean = float(matrix.column(MEAN)[row])
                if mean > 0 and (rules := own[np.isin(own[:, 2], week)]).size:
                    found.median[row] = mean * np.exp(rules[:, 3].mean())
                    found.spread[row] = rules[:, 4].mean()
        return found


def _rules(line: Doubles, weekday: Ints, feasts: Ints) -> Iterator[tuple[int, int, float, float]]:
    """Weekday, feast, median and spread of the log of influx over the mean, of one zone."""
    known = np.flatnonzero(np.isfinite(line))
    if len(known) == 0 or known[-1] - known[0] < _MIN_DAYS:
        return
    inside = slice(int(known[0]), int(known[-1]) + 1)
    line, weekday, feasts = line[inside], weekday[inside], feasts[inside]
    usual = np.array([np.median(np.nan_to_num(line[weekday == w])) for w in range(7)])
    middle, rests = np.nanmedian(line), _REST * np.nanmedian(line)
    least = _WORKED * middle / np.nanmean(line)
    for rest in np.flatnonzero(usual < rests):
        ratios: dict[int, list[float]] = {}
        for at in np.flatnonzero(weekday == rest)[_MEAN_DAYS // 7 :]:
            # Of the week's earlier days, feasts on which the place would have worked.
            for before in range(at - rest, at):
                if feasts[before] and usual[weekday[before]] >= rests:
                    past = line[:at][np.isfinite(line[:at])][-_MEAN_DAYS:]
                    if past.mean() > 0:
                        ratio = float(np.nan_to_num(line[at]) / past.mean())
                        ratios.setdefault(int(feasts[before]), []).append(ratio)
        worked = {f: np.log(r[-_TIMES:]) for f, r in ratios.items() if _again(r, least)}
        away = [logs - np.median(logs) for logs in worked.values()]
        spread = max(float(np.std(np.concatenate(away))), _LEAST_SPREAD) if away else 0.0
        for feast, logs in worked.items():
            yield int(rest), feast, float(np.median(logs)), spread


def _again(ratios: list[float], least: float) -> bool:
    return len(ratios) >= _TIMES and min(ratios[-_TIMES:]) >= least


def _weekday(day: Ints) -> Ints:
    return (day + 3) % 7
