"""The feature matrix of a country against the same columns in pandas and Polars, in one run.

::

    python -m benchmarks.features                           # 1,254 zones, six years: minutes
    python -m benchmarks.features --zones 60 --years 3      # a minute

Every engine runs in a process of its own, from the same observations in memory; peers are compared
with the product column by column on some zones. Polars gets an environment of its own under
``benchmarks/work``, made on the first run. The last line of output is a JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.features import ours, world
from benchmarks.keeping import machine

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
PEERS = ROOT / "benchmarks" / "work" / "peers-venv"
ENGINES = ("memset", "afflux", "parts", "polars", "pandas")
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "33554432", "MALLOC_TRIM_THRESHOLD_": "33554432"}
"""For every engine: where glibc's own thresholds end up after a few large arrays, from the start,
and what is freed goes back to the system, so that peaks can be compared."""


def peers_python() -> Path:
    """Interpreter of the environment with Polars, made if it is not there."""
    python = PEERS / "bin" / "python"
    if not (PEERS / ".installed").exists():
        print(f"Installing Polars into {PEERS.relative_to(ROOT)} ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "-r"]
        subprocess.run([*install, str(HERE / "requirements.txt")], check=True)
        (PEERS / ".installed").touch()
    return python


def make_inputs(folder: Path, zones: int, years: int) -> None:
    """Leave the world to answer, and a small one to warm up with, in ``folder``."""
    for name, size, span in (("small", 6, 2), ("large", zones, years)):
        days = round(365.25 * span)
        world.save(world.make_world(size, span) | ours.facts(size, days), folder / f"{name}.npz")
    (folder / "years").write_text(str(years))


def run(engine: str, folder: Path) -> dict[str, Any]:
    """One engine in a process of its own; returns what it printed."""
    python = peers_python() if engine == "polars" else Path(sys.executable)
    done = subprocess.run(
        [str(python), "-m", "benchmarks.features.engine", engine, str(folder)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | ALLOCATOR | {"PYTHONPATH": str(ROOT)},
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def best(engine: str, folder: Path, times: int) -> dict[str, Any]:
    """The quickest of several runs, with the largest peak of all."""
    runs = [run(engine, folder) for _ in range(times)]
    return min(runs, key=lambda r: r["seconds"]) | {"peak_mb": max(r["peak_mb"] for r in runs)}


def differences(folder: Path, peer: str) -> list[str]:
    """Columns in which a peer answers otherwise than the product, empty answers included."""
    with np.load(folder / "afflux.npz") as mine, np.load(folder / f"{peer}.npz") as theirs:
        if mine.files != theirs.files:
            return sorted(set(mine.files) ^ set(theirs.files)) or ["the order of the columns"]
        return [
            name
            for name in mine.files
            if not np.allclose(mine[name], theirs[name], rtol=1e-4, atol=1e-5, equal_nan=True)
        ]


def report(results: dict[str, dict[str, Any]]) -> None:
    """Print the table."""
    first = next(iter(results.values()))
    print(f"\n{first['rows']:,} questions, {results['afflux']['columns']} columns of float32")
    print(f"{'':8}{'time':>9}{'CPU':>9}{'peak':>10}{'less imports':>14}{'less input too':>16}")
    for engine, r in results.items():
        print(
            f"{engine:8}{r['seconds']:7.2f} s{r['cpu_seconds']:7.2f} s{r['peak_mb']:7,} MB"
            f"{r['peak_mb'] - r['imports_mb']:11,} MB{r['peak_mb'] - r['ready_mb']:13,} MB"
        )


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Run, compare and print; returns the object of the last line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.features")
    parser.add_argument("--zones", type=int, default=1254)
    parser.add_argument("--years", type=int, default=6)
    parser.add_argument("--engines", default=",".join(ENGINES), help="comma-separated")
    parser.add_argument("--times", type=int, default=2, help="runs of each engine, the best counts")
    chosen = parser.parse_args(arguments)
    engines = [e for e in ENGINES if e in chosen.engines.split(",") or e == "afflux"]
    where = machine()
    results: dict[str, dict[str, Any]] = {}
    different: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"Making {chosen.zones:,} zones × {chosen.years} years ...", file=sys.stderr)
        make_inputs(folder, chosen.zones, chosen.years)
        for engine in engines:
            print(f"Running {engine} ...", file=sys.stderr)
            results[engine] = best(engine, folder, chosen.times)
        for peer in ("parts", "polars", "pandas"):
            if peer in results:
                different[peer] = differences(folder, peer)
    report(results)
    mine = results["afflux"]
    for peer, columns in different.items():
        print(f"{peer}: {'equal in every column' if not columns else 'DIFFERS in ' + str(columns)}")
    summary = {
        "benchmark": "features",
        "zones": chosen.zones,
        "years": chosen.years,
        "best_of": chosen.times,
        "engines": results,
        "equal": {peer: not columns for peer, columns in different.items()},
        "time_over_afflux": {
            peer: round(results[peer]["seconds"] / mine["seconds"], 1) for peer in different
        },
        "machine": where,
    }
    print(json.dumps(summary))
    return summary


if __name__ == "__main__":
    sys.exit(0 if all(main()["equal"].values()) else 1)
