"""What is wrong with a folder of input files, most important first.

A :class:`Findings` gathers while files are read; its :meth:`~Findings.report` is what people and
machines see. A problem that repeats on a million rows is counted a million times and kept a few.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from forecast.ingest.kinds import BLOCKING, KINDS

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

KEPT_PER_KIND = 5
"""Problems kept per kind, file and column; the others are counted."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong or suspicious: where it is, what was expected, what to do.

    ``line`` is the line of the file, the first being 1 (the row for Parquet); None where the
    problem is the whole file's. ``kind`` is a key of :data:`forecast.ingest.kinds.KINDS`.
    """

    kind: str
    file: str
    what: str
    expected: str = ""
    advice: str = ""
    line: int | None = None
    column: str = ""
    value: str = ""

    @property
    def severity(self) -> Literal["error", "warning"]:
        """Errors refuse the file or the row; warnings refuse nothing."""
        return KINDS[self.kind].severity

    @property
    def where(self) -> str:
        """File, line and column, as in ``influx.csv, line 3, column influx``."""
        unit = "row" if self.file.endswith(".parquet") else "line"
        parts = [self.file]
        if self.line is not None:
            parts.append(f"{unit} {self.line}")
        if self.column:
            parts.append(f"column {self.column}")
        return ", ".join(parts)

    def text(self) -> str:
        """One line for people."""
        message = f"{self.where}: {self.what}"
        if self.value:
            message += f" ({self.value!r})"
        for extra in (f"expected {self.expected}" if self.expected else "", self.advice):
            message += f"; {extra}" if extra else ""
        return message


@dataclass(frozen=True)
class Report:
    """Every problem of a folder, errors first; ``counts`` holds the full number of each kind."""

    problems: tuple[Problem, ...]
    counts: dict[str, int]

    @property
    def errors(self) -> int:
        """Number of errors, those not listed included."""
        return sum(n for kind, n in self.counts.items() if KINDS[kind].severity == "error")

    @property
    def warnings(self) -> int:
        """Number of warnings, those not listed included."""
        return sum(self.counts.values()) - self.errors

    @property
    def ok(self) -> bool:
        """Whether nothing refuses the folder."""
        return self.errors == 0

    @property
    def blocking(self) -> tuple[Problem, ...]:
        """Errors that concern a whole file, which skipping rows cannot cure."""
        return tuple(p for p in self.problems if p.kind in BLOCKING)

    def summary(self) -> str:
        """One line: how many errors and warnings, by kind."""
        if not self.counts:
            return "no problem found"
        kinds = ", ".join(
            f"{KINDS[kind].title} × {self.counts[kind]:,}"
            for kind in sorted(self.counts, key=_rank)
        )
        return f"{_count(self.errors, 'error')}, {_count(self.warnings, 'warning')}: {kinds}"

    def text(self, limit: int = 40) -> str:
        """The report for people: at most ``limit`` problems, then how many were left out."""
        lines, shown = [self.summary()], self.problems[:limit]
        listed = Counter(p.kind for p in shown)
        lines += [f"{p.severity.upper()}  {p.text()}" for p in shown]
        rest = {kind: n - listed[kind] for kind, n in self.counts.items() if n > listed[kind]}
        if rest:
            kinds = ", ".join(f"{KINDS[k].title} × {rest[k]:,}" for k in sorted(rest, key=_rank))
            lines.append(f"... and {sum(rest.values()):,} more: {kinds}")
        return "\n".join(lines)

    def as_dict(self, limit: int = 200) -> dict[str, Any]:
        """The report for machines, ready for JSON: at most ``limit`` problems."""
        shown = self.problems[:limit]
        return {
            "ok": self.ok,
            "errors": self.errors,
            "warnings": self.warnings,
            "counts": {kind: self.counts[kind] for kind in sorted(self.counts, key=_rank)},
            "problems": [{"severity": p.severity, **asdict(p)} for p in shown],
            "not_listed": self.errors + self.warnings - len(shown),
        }


@dataclass
class Findings:
    """Problems being gathered; see :class:`Report` for the result.

    Of each kind, file and column the first ``keep`` problems are listed, the others counted.
    """

    keep: int = KEPT_PER_KIND
    _kept: list[Problem] = field(default_factory=list)
    _counts: Counter[str] = field(default_factory=Counter)
    _seen: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def add(self, kind: str, file: str, what: str, **details: Any) -> None:
        """Record one problem; ``details`` are the other fields of :class:`Problem`."""
        problem = Problem(kind, file, what, **details)
        self._counts[kind] += 1
        key = (kind, file, problem.column)
        self._seen[key] += 1
        if self._seen[key] <= self.keep:
            self._kept.append(problem)

    def add_rows(
        self,
        kind: str,
        file: str,
        what: str,
        lines: Ints,
        values: Sequence[str] | None = None,
        **details: Any,
    ) -> None:
        """Record the same problem on many rows; only the first few need their ``values``."""
        if not len(lines):
            return
        key = (kind, file, details.get("column", ""))
        room = max(0, self.keep - self._seen[key])
        for i in range(min(room, len(lines))):
            value = values[i] if values is not None else ""
            self._kept.append(
                Problem(kind, file, what, line=int(lines[i]), value=shorten(value), **details)
            )
        self._seen[key] += len(lines)
        self._counts[kind] += len(lines)

    def report(self) -> Report:
        """Everything found, sorted: errors before warnings, whole files before rows."""
        ordered = sorted(
            self._kept, key=lambda p: (_rank(p.kind), p.file, p.line or 0, p.column, p.what)
        )
        return Report(tuple(ordered), dict(self._counts))


def shorten(value: str, length: int = 40) -> str:
    """A cell as shown in a message: never longer than ``length`` characters.

    >>> shorten("x" * 50, 5)
    'xxxx…'
    """
    return value if len(value) <= length else value[: length - 1] + "…"


def _rank(kind: str) -> int:
    return list(KINDS).index(kind)


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" + ("" if n == 1 else "s")
