"""The peers' figures as the results keep them, for a machine on which no peer has answered.

A peer that is told the same answers the same, and asking all of them takes hours. So its figures
stand as long as what it would be told now, of which a digest is kept, is what it was told then.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.accuracy.panels import UNSEEN
from benchmarks.keeping import RESULTS, kept_panels


def peers(
    name: str, digest: str, results: Path = RESULTS
) -> tuple[pd.DataFrame, dict[str, Any], int]:
    """Scores of the peers of a panel (one row each), facts about them, and how many questions.

    Raises
    ------
    ValueError
        If no figures of the panel are kept, or a peer was told something else than it would be now.
    """
    file = "unseen" if name in UNSEEN else "accuracy"
    panels = kept_panels(file, results)
    if name not in panels:
        raise ValueError(
            f"{file}.md keeps no figures of {name}: ask its peers, "
            f"`python -m benchmarks.accuracy --panels {name}`"
        )
    panel = panels[name]
    facts = {peer: dict(told) for peer, told in panel["peers"].items()}
    if stale := [peer for peer, told in facts.items() if told["told"] != digest]:
        raise ValueError(
            f"{name}: {stale[0]} was told something else than it would be now (the calendar or the "
            "data changed), so its kept figures do not count: ask again, "
            f"`python -m benchmarks.accuracy --panels {name} --refit-peers stale`"
        )
    scores = pd.DataFrame({peer: panel["scores"][peer] for peer in facts}).T
    return scores.astype(float), facts, int(panel["questions"])
