"""What the peers are handed, and what they answer, as files in one folder per panel."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.accuracy.panels import HORIZON, UNSEEN, WINDOWS, load
from forecast.almanac import COLUMNS, calendar_lines
from forecast.config import RunConfig
from forecast.grid import day_date, day_number

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
WORK = ROOT / "benchmarks" / "work" / "accuracy"
VENV = ROOT / "benchmarks" / "work" / "accuracy-venv"
PEERS = ("mlforecast", "skforecast", "prophet", "autoets", "seasonal_naive")
SLOW = "autoarima"
"""The peer that is asked about panels of one zone only."""
QUICK = ("skforecast", "prophet", "seasonal_naive")
"""Peers of the unseen panels, which would take hours otherwise; AutoETS too where there is one
zone. The best peer of each of the other panels is among them."""
VALIDATION = 4
"""Origins before the first scored one by which a peer's variant is chosen."""


def hand_over(name: str, folder: Path) -> str:
    """Write a panel for its peers; return a digest of everything they are told."""
    window = WINDOWS[name]
    territory, tables = load(name)
    config = RunConfig.model_validate(territory)
    influx = tables["influx"]
    series = pd.DataFrame(
        {
            "unique_id": influx["zone_id"].astype(str),
            "ds": pd.to_datetime(influx["date"]).astype("datetime64[ns]"),
            "y": influx["influx"].astype(float),
        }
    ).sort_values(["unique_id", "ds"], ignore_index=True)
    stride = window.origins[1] - window.origins[0]
    before = [window.first - k * stride for k in range(VALIDATION, 0, -1)]
    facts = {
        "origins": [f"{day:%Y-%m-%d}" for day in window.origins],
        "validation": [f"{day:%Y-%m-%d}" for day in before],
        "quantiles": list(config.quantiles),
        "horizon": HORIZON,
        "country": config.country,
        "closed": window.closed,
    }
    days = calendar(config, series["ds"].min(), window.newest)
    folder.mkdir(parents=True, exist_ok=True)
    series.to_parquet(folder / "series.parquet", index=False)
    days.to_parquet(folder / "calendar.parquet", index=False)
    text = json.dumps(facts, indent=1)
    (folder / "task.json").write_text(text + "\n", encoding="utf-8")
    digest = hashlib.sha256(text.encode())
    for frame in (series, days):
        digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    return digest.hexdigest()[:16]


def calendar(config: RunConfig, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    """The almanac of every zone and day, as our model sees it."""
    territory = config.territory()
    start, end = (int(day) for day in day_number([first, last]))
    group, lines = calendar_lines(territory, start, end - start + 1)
    dates = day_date(range(start, end + 1)).astype("datetime64[ns]")
    parts = [
        pd.DataFrame(
            {"unique_id": zone, "ds": dates} | dict(zip(COLUMNS, lines[:, g], strict=True))
        )
        for zone, g in zip(territory.zone_ids, group, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


def all_answers(
    name: str, digest: str, refit: str = ""
) -> dict[str, tuple[pd.DataFrame, dict[str, Any]]]:
    """Answers of every peer to a panel, see :func:`answers`; two peers at a time, a thread each."""
    peers_python()
    zones = pd.read_parquet(WORK / name / "series.parquet")["unique_id"].nunique()
    if name in UNSEEN:
        peers = (*QUICK, "autoets") if zones == 1 else QUICK
    else:
        peers = (*PEERS, SLOW) if zones == 1 else PEERS
    with ThreadPoolExecutor(max_workers=2) as pool:
        found = pool.map(lambda peer: answers(name, peer, digest, refit), peers)
        return dict(zip(peers, found, strict=True))


def answers(
    name: str, peer: str, digest: str, refit: str = ""
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A peer's answers to a panel (zone_id, origin, target_date, q10 … q90) and facts about them.

    They are kept. ``refit`` asks for them again: ``"all"`` always, ``"stale"`` where what the peer
    was told has changed since (``stale`` of the facts).
    """
    folder = WORK / name
    rows, facts = folder / f"{peer}.parquet", folder / f"{peer}.json"
    told = json.loads(facts.read_text(encoding="utf-8")).get("told") if facts.exists() else None
    if told is None or refit == "all" or (refit == "stale" and told != digest):
        subprocess.run(
            [peers_python(), "-m", "benchmarks.accuracy.peers", peer, folder],
            check=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        )
        fresh = json.loads(facts.read_text(encoding="utf-8")) | {"told": digest}
        facts.write_text(json.dumps(fresh, indent=1) + "\n", encoding="utf-8")
    found = json.loads(facts.read_text(encoding="utf-8"))
    return pd.read_parquet(rows), found | {"stale": found["told"] != digest}


def peers_python() -> Path:
    """Interpreter of the environment of the peers, made if it is not there."""
    python = VENV / "bin" / "python"
    requirements = HERE / "peers" / "requirements.txt"
    done = VENV / ".installed"
    if not done.exists() or done.read_text(encoding="utf-8") != requirements.read_text("utf-8"):
        print(f"Installing the peers into {VENV.relative_to(ROOT)} ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "-r", str(requirements)]
        subprocess.run(install, check=True)
        done.write_text(requirements.read_text("utf-8"), encoding="utf-8")
    return python
