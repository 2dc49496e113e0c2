"""The benchmark of the features runs, and its peers answer as the product does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
POLARS = ROOT / "benchmarks" / "work" / "peers-venv" / ".installed"


@pytest.mark.parametrize(
    "peer",
    [
        "pandas",
        pytest.param(
            "polars",
            marks=pytest.mark.skipif(
                not POLARS.exists(), reason="`python -m benchmarks.features` has not run here yet"
            ),
        ),
    ],
)
def test_a_peer_answers_as_the_product(peer: str) -> None:
    arguments = ["--zones", "5", "--years", "2", "--times", "1", "--engines", f"memset,{peer}"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.features", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["equal"] == {peer: True}
    engines = summary["engines"]
    assert set(engines) == {"memset", "afflux", peer}
    assert {engine["columns"] for engine in engines.values()} == {60}
    assert {engine["rows"] for engine in engines.values()} == {5 * 105 * 15}
    assert summary["time_over_afflux"][peer] > 0
    assert summary["machine"]["cores"] >= 1
