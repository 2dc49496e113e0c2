"""What a cycle did, in one line or for a machine; a step that fails is kept in it, not raised."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from forecast.cli.console import Steps
from forecast.errors import AffluxError

if TYPE_CHECKING:
    from forecast.came_true import CameTrue

T = TypeVar("T")


@dataclass
class Cycle:
    """What a cycle did: counts of rows, the publication's name, the score, what failed.

    ``providers`` were asked, ``waiting`` were not due, ``wrong`` could not be asked, for their
    configuration. ``failed`` has one sentence for each of these and each step that failed, by the
    name of the provider or ``inbox``, ``providers``, ``previous`` (the
    forecast from which the score counts), ``publish``, ``webhooks``, ``score``.
    """

    providers: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    new: int = 0
    revised: int = 0
    refused: int = 0
    unplaced: int = 0
    publication: str | None = None
    notices: dict[str, int] = field(default_factory=dict)
    score: CameTrue | None = None
    failed: dict[str, str] = field(default_factory=dict)

    def line(self) -> str:
        """All of it in one line."""
        return f"run: {self._fetched()}; {self._published()}; {self._scored()}"

    def _fetched(self) -> str:
        failed = [name for name in self.providers if name in self.failed]
        asked = len(self.providers)
        said = f"{asked} provider{'' if asked == 1 else 's'}"
        notes = [f"{len(failed)} failed: {', '.join(failed)}"] if failed else []
        notes += [f"wrongly configured: {', '.join(self.wrong)}"] if self.wrong else []
        notes += [f"{len(self.waiting)} not due"] if self.waiting else []
        said += f" ({', '.join(notes)})" if notes else ""
        for step in ("providers", "inbox"):
            said += f", {step} failed" if step in self.failed else ""
        counts = {"revised": self.revised, "refused": self.refused, "in no zone": self.unplaced}
        more = "".join(f", {count:,} {what}" for what, count in counts.items() if count)
        return f"{said}, {self.new:,} new rows{more}"

    def _published(self) -> str:
        return f"publication {self.publication}" if self.publication else "no publication"

    def _scored(self) -> str:
        if self.score is None:
            return "not scored"
        if not self.score.zone_days:
            return "nothing new to score"
        error = self.score.error
        wrong = f", error of the median {error:.0%}" if math.isfinite(error) else ""
        return (
            f"scored {self.score.zone_days} zone-days: {self.score.band:.0%} band held "
            f"{self.score.held}{wrong}"
        )

    def facts(self) -> dict[str, Any]:
        """The same for a machine."""
        return asdict(self)

    def attempt(self, name: str, act: Callable[[Any], T], steps: Steps) -> T | None:
        """What ``act`` returns; None if it failed, which :attr:`failed` then says.

        ``act`` is given the function that tells its progress. A fault of the program is no reason
        to stop the rest either, unless ``--debug`` asks for its traceback.
        """
        try:
            with steps.step(name) as say:
                return act(say)
        except AffluxError as error:
            self.failed[name] = str(error)
        except Exception as error:
            if "--debug" in sys.argv:
                raise
            self.failed[name] = f"unexpected {type(error).__name__}: {error}"
        return None
