"""What-ifs: how long they take once the worker is warm, and what they cost those who poll.

``python -m benchmarks.scenarios --home FOLDER``, where FOLDER is a home with a champion (`afflux
demo --no-serve` makes one). Needs wrk. The last line printed is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from benchmarks.keeping import keep, machine
from forecast.serving.server import command

LIMIT_MS = 100
POLLED = "/v1/forecasts/weekend"
STORM = {"precipitation": 20, "sunshine": 0.5, "temperature_max": 12}


@contextmanager
def served(home: Path) -> Iterator[str]:
    """`afflux serve`, one worker, on a free port; what is yielded is its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    opened = {"AFFLUX_HOME": str(home), "AFFLUX_OPEN_SCOPES": "scenarios"}
    process = subprocess.Popen(
        command("127.0.0.1", port),
        env=os.environ | opened,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        base = f"http://127.0.0.1:{port}"
        with httpx2.Client(transport=httpx2.HTTPTransport(retries=12), trust_env=False) as client:
            client.get(f"{base}/health/ready").raise_for_status()
        yield base
    finally:
        process.terminate()
        process.wait(timeout=20)


def questions(client: httpx2.Client) -> dict[str, dict[str, Any]]:
    """What is asked, by name."""
    forecasts = client.get("/v1/forecasts").raise_for_status().json()["forecasts"]
    days = sorted({row["target_date"] for row in forecasts})
    weekend = client.get(POLLED).raise_for_status().json()["weekend"]["days"]
    zone, last = forecasts[0]["zone_id"], weekend[-1]
    event = {"zone_id": zone, "date": last, "name": "Foire", "attendance": 10000}
    return {
        "an event, one zone and day": {
            "zone_id": [zone], "from": last, "to": last, "events": [event],
        },
        "rain on one day, weekend of all zones": {
            "from": weekend[0], "to": last, "weather": [{"target_date": last, **STORM}],
        },
        "rain on one day, all zones and days": {"weather": [{"target_date": last, **STORM}]},
        "rain on every day, all zones and days": {
            "weather": [{"target_date": day, **STORM} for day in days],
        },
    }  # fmt: skip


def ask(client: httpx2.Client, body: dict[str, Any]) -> float:
    """Milliseconds until the whole answer is there."""
    began = time.perf_counter()
    client.post("/v1/scenarios", json=body).raise_for_status()
    return 1000 * (time.perf_counter() - began)


def polled(base: str, connections: int, seconds: int) -> dict[str, float]:
    """Requests per second and latency [ms] of the polled endpoint, by wrk."""
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", base + POLLED],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Non-2xx" not in done.stdout, done.stdout
    found = re.findall(r"^ +(50|99)% +([\d.]+)(us|ms|s)$", done.stdout, flags=re.MULTILINE)
    unit = {"us": 0.001, "ms": 1.0, "s": 1000.0}
    latency = {f"p{share}_ms": round(float(n) * unit[u], 3) for share, n, u in found}
    rate = re.search(r"Requests/sec: +([\d.]+)", done.stdout)
    assert rate
    return {"per_second": round(float(rate[1])), **latency}


@contextmanager
def asking(base: str, body: dict[str, Any], times: list[float]) -> Iterator[None]:
    """One what-if after the other in the background."""
    stop = threading.Event()

    def run() -> None:
        with httpx2.Client(base_url=base, timeout=60, trust_env=False) as client:
            while not stop.is_set():
                times.append(ask(client, body))

    thread = threading.Thread(target=run)
    thread.start()
    yield
    stop.set()
    thread.join()


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and end with one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="a home with a champion")
    parser.add_argument("--times", type=int, default=30, help="what-ifs of each kind")
    parser.add_argument("--seconds", type=int, default=10, help="length of each polling")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--save", action="store_true", help="keep it in results/scenarios.md")
    given = parser.parse_args(arguments)
    if shutil.which("wrk") is None:
        print("wrk is not installed: apt-get install wrk", file=sys.stderr)
        return 2
    where = machine()
    with tempfile.TemporaryDirectory() as scratch:
        home = shutil.copytree(given.home, Path(scratch, "home"), symlinks=True)
        publish = [Path(sys.executable).with_name("afflux"), "publish"]
        subprocess.run(
            publish, env=os.environ | {"AFFLUX_HOME": str(home)}, check=True, stdout=sys.stderr
        )
        with (
            served(home) as base,
            httpx2.Client(base_url=base, timeout=120, trust_env=False) as http,
        ):
            asked = questions(http)
            first = ask(http, next(iter(asked.values())))
            warm = {}
            for name, body in asked.items():
                ask(http, body)
                times = sorted(ask(http, body) for _ in range(given.times))
                warm[name] = {
                    "median_ms": round(statistics.median(times), 1),
                    "p90_ms": round(times[int(0.9 * (len(times) - 1))], 1),
                }
            quiet = [polled(base, given.connections, given.seconds)]
            meanwhile: list[float] = []
            with asking(base, asked["rain on one day, weekend of all zones"], meanwhile):
                busy = polled(base, given.connections, given.seconds)
            quiet.append(polled(base, given.connections, given.seconds))
    lines = [f"first what-if, worker loaded: {first / 1000:.1f} s"]
    for name, found in warm.items():
        lines.append(f"{name:<40} {found['median_ms']:>7.1f} ms, p90 {found['p90_ms']:>7.1f} ms")
    for name, rate in (("alone", quiet[0]), ("beside what-ifs", busy), ("alone again", quiet[1])):
        lines.append(
            f"polled {name:<16} {rate['per_second']:>7,.0f} requests/s, "
            f"median {rate['p50_ms']:.2f} ms, p99 {rate['p99_ms']:.2f} ms"
        )
    print(*lines, sep="\n")
    summary = {
        "benchmark": "scenarios",
        "first_seconds": round(first / 1000, 2),
        "warm": warm,
        "slowest_over_limit": round(max(w["median_ms"] for w in warm.values()) / LIMIT_MS, 2),
        "polled": {"alone": quiet[0], "beside": busy, "alone_again": quiet[1]},
        "answered_meanwhile": len(meanwhile),
        "p99_beside_over_alone": round(busy["p99_ms"] / max(q["p99_ms"] for q in quiet), 2),
        "machine": where,
    }
    last_line = json.dumps(summary)
    if given.save:
        keep(
            "scenarios",
            "# What-ifs\n\nWritten by `python -m benchmarks.scenarios --home HOME --save`, HOME "
            "made by `afflux demo --no-serve` (eight zones, fifteen days). wrk, the server and the "
            "worker share the cores.",
            "\n".join(lines),
            last_line,
        )
    print(last_line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
