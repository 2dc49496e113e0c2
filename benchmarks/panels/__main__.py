"""Real input, end to end: the panels through the commands every user has, and how good they are.

``python -m benchmarks.panels`` writes each panel as an input folder, then runs ``afflux check``,
``ingest``, ``backtest``, ``train``, ``promote``, ``publish`` and ``serve`` on it in a home of its
own, asks the server for the weekend, and prints the accuracy table of the last usable year: weekly
origins, horizons 1 to 14, no weather. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.keeping import keep_panels, machine
from forecast.config import read_config
from forecast.grid import day_date, day_number
from forecast.training.baselines import BASELINES
from forecast.training.metrics import table

PANELS = ("hk_visitors", "cerema_traffic")
WORK = Path(__file__).resolve().parents[1] / "work"
RULES = ("lag7", "lag364", "mean4")
"""Baselines that need no fitting: what the model is asked to beat by a fifth."""
SHOWN = ("wape", "mase", "pinball", "coverage_80", "width_80", *(f"wape_{b}" for b in BASELINES))


def main() -> None:
    """Run the panels named on the command line (default: both)."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.panels", description=__doc__)
    parser.add_argument("panel", nargs="*", choices=[*PANELS, []], help="default: both")
    parser.add_argument("--save", action="store_true", help="keep the tables in results/panels.md")
    given = parser.parse_args()
    found = {name: run(name) for name in given.panel or PANELS}
    figures = {name: facts for name, (_, facts) in found.items()}
    summary = {"benchmark": "panels", "machine": machine(), "panels": figures}
    if given.save:
        keep_panels(
            "panels",
            "# Panels: real input, end to end\n\nWritten by `python -m benchmarks.panels --save`. "
            "Errors, pinball and width in % of influx; MASE is a ratio.",
            {name: text for name, (text, _) in found.items()},
            summary,
        )
    print(json.dumps(summary))


def run(name: str) -> tuple[str, dict[str, Any]]:
    """One panel, from its files to a served forecast: its table, and its figures."""
    home = WORK / name
    shutil.rmtree(home, ignore_errors=True)
    folder = home / "input"
    subprocess.run([sys.executable, "-m", f"benchmarks.panels.{name}", folder], check=True)
    seconds, gate = {}, "passed"
    rows = home / "backtest.parquet"
    config = read_config(folder / "territory.toml")
    origin = _first_morning_after(folder, config.training.origin_hour)
    for verb, arguments in (
        ("check", [folder]),
        ("ingest", [folder]),
        ("backtest", ["--out", rows]),
        ("train", []),
        ("promote", []),
        ("publish", ["--origin", origin]),
    ):
        start = time.monotonic()
        try:
            afflux(home, verb, *arguments)
        except subprocess.CalledProcessError:
            if verb != "promote":
                raise
            gate = "refused"
            afflux(home, verb, "--force", "--reason", "benchmark: to see what would be served")
        seconds[verb] = round(time.monotonic() - start, 1)
    served = ask_the_server(home)
    answers = pd.read_parquet(rows)
    scores = table(answers[answers["horizon_days"] >= 1], config.quantiles, BASELINES)
    shown = scores[list(SHOWN)].drop(index="zone", level="group")
    first, last = answers["origin"].min(), answers["origin"].max()
    text = (
        f"{config.name}\n{answers['origin'].nunique()} weekly origins, {first:%Y-%m-%d} to "
        f"{last:%Y-%m-%d}, horizons 1 to 14, no weather\n\n"
        f"{(100 * shown).assign(mase=shown['mase']).round(2).to_string()}\n\n"
        f"gate {gate}; served: {served} forecasts of the weekend after {origin[:10]}"
    )
    print(f"\n{text}\n", flush=True)
    whole = scores.loc[("all", "all")]
    best = min(whole[f"wape_{name}"] for name in RULES)
    return text, {
        "wape": round(whole["wape"], 4),
        "best_rule_wape": round(best, 4),
        "ratio_to_best_rule": round(whole["wape"] / best, 4),
        "coverage_80": round(whole["coverage_80"], 4),
        "width_80": round(whole["width_80"], 4),
        "gate": gate,
        "seconds": seconds,
    }


def afflux(home: Path, *arguments: object) -> None:
    """Run one command of Afflux in a home; its output goes to the terminal."""
    command = [Path(sys.executable).with_name("afflux"), *map(str, arguments)]
    print("$ afflux", *map(str, arguments), flush=True)
    environment = os.environ | {"AFFLUX_HOME": str(home), "COLUMNS": "100"}
    environment.pop("AFFLUX_LAKE", None)
    environment.pop("AFFLUX_CONFIG", None)
    subprocess.run(command, check=True, env=environment, cwd=home)


def ask_the_server(home: Path) -> int:
    """Start ``afflux serve``, ask for the weekend, stop it; return how many forecasts came."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [Path(sys.executable).with_name("afflux"), "serve", "--port", str(port)]
    with subprocess.Popen(command, env=os.environ | {"AFFLUX_HOME": str(home)}) as server:
        try:
            for _ in range(100):
                try:
                    url = f"http://127.0.0.1:{port}/v1/forecasts/weekend"
                    with urllib.request.urlopen(url, timeout=5) as answer:
                        return len(json.load(answer)["forecasts"])
                except OSError:
                    time.sleep(0.1)
            raise RuntimeError(f"no answer on port {port} in ten seconds")
        finally:
            server.send_signal(signal.SIGINT)


def _first_morning_after(folder: Path, hour: int) -> str:
    """The local instant of the origin on the day after the last observed one."""
    last = day_number(pd.read_csv(folder / "influx.csv", usecols=["date"])["date"]).max()
    return f"{day_date([last + 1])[0]:%Y-%m-%d}T{hour:02d}:00"


if __name__ == "__main__":
    main()
