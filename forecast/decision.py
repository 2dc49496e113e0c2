"""What the gate decided about a candidate: each criterion, its figures and whether it is met.

A decision is made once, at the end of training (:mod:`forecast.training.gate`), stored beside the
model version as JSON, and read back by whoever promotes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from forecast.errors import ModelError


@dataclass(frozen=True)
class Criterion:
    """One thing a candidate must reach.

    ``candidate`` and ``reference`` are the figures compared (None where there is none), and
    ``bound`` says in words what was asked of them.
    """

    name: str
    candidate: float | None
    reference: float | None
    bound: str
    passed: bool


@dataclass(frozen=True)
class Decision:
    """Every criterion, and what it was measured on.

    ``against`` is the version of the champion the candidate was compared with, None if there was
    none; ``held_out`` says in words which days and how both models came to answer them.
    """

    against: str | None
    held_out: str
    criteria: tuple[Criterion, ...]

    @property
    def passed(self) -> bool:
        """Whether every criterion is met."""
        return not self.failed

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the criteria that are not met."""
        return tuple(criterion.name for criterion in self.criteria if not criterion.passed)

    def as_dict(self) -> dict[str, Any]:
        """The decision for a JSON document, ``passed`` included."""
        return {"passed": self.passed, **asdict(self)}

    def to_json(self) -> str:
        """One line of JSON; :meth:`from_json` is the inverse.

        >>> met = Criterion("coverage_80", 0.79, None, "0.75 to 0.85", True)
        >>> decision = Decision(None, "12 origins", (met,))
        >>> Decision.from_json(decision.to_json()) == decision
        True
        """
        return json.dumps(self.as_dict(), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what :meth:`to_json` wrote; raise :class:`ValueError` if it is anything else."""
        try:
            found: Mapping[str, Any] = json.loads(text)
            criteria = tuple(Criterion(**criterion) for criterion in found["criteria"])
            return cls(found["against"], found["held_out"], criteria)
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a decision of the gate: {error}") from error


def must_pass(version: str, decision: Decision | None, champion: str | None) -> None:
    """Refuse a version that the gate did not let pass against the champion of today.

    ``champion`` is the version that is champion now, None if there is none.

    Raises
    ------
    ModelError
        Naming the criteria that are not met, or why the decision does not apply.
    """
    if decision is None:
        why = "has no decision of the gate (it was not trained by `afflux train`)"
    elif not decision.passed:
        why = f"did not pass the gate: {', '.join(decision.failed)}"
    elif champion not in (version, decision.against):
        compared = f"version {decision.against}" if decision.against else "no champion"
        why = f"was compared with {compared}, but the champion is now version {champion}"
    else:
        return
    raise ModelError(
        f"version {version} {why}; the champion stays as it is. Train again, or overrule the gate "
        "with `afflux promote --force --reason TEXT`"
    )
