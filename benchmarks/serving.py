"""Speed of the polled endpoint, its start and its memory: ``python -m benchmarks.serving``.

In one run, one worker each: a bare ASGI app that returns the same bytes under uvicorn, FastAPI that
returns them as a response, and `afflux serve` with every limit on. With ``--home`` of a trained
home (``afflux demo --no-serve`` makes one) that home's publication is served, and its model is
compared: a server that loads it through MLflow before it answers, and ``mlflow models serve``.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks.keeping import machine

ROOT = Path(__file__).parents[1]
PATH = "/v1/forecasts/weekend"
CONNECTIONS = (8, 32)

RESULTS = Path(__file__).parent / "results" / "serving.md"
HEAD = """# The server

Written by `python -m benchmarks.serving --home HOME --save` on two cores that did nothing else:
medians of several runs of wrk each, in turns.
"""
READING = """- `bare` is an ASGI app under uvicorn that sends the same bytes with two headers;
  `fastapi` returns them from a route; `afflux` is the server with every limit on (addresses
  counted, flags looked at, requests counted and logged) and nine headers.
- *loaded through MLflow* is a server of the same model that loads it before its first answer,
  *mlflow models serve* MLflow's own, asked for 24 rows (a weekend of eight zones).
"""

BARE = """
import os, pathlib
BODY = pathlib.Path(os.environ["BENCH_BODY"]).read_bytes()
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))]
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": BODY})
"""
PLAIN = f"""
import os, pathlib
from fastapi import FastAPI, Response
BODY = pathlib.Path(os.environ["BENCH_BODY"]).read_bytes()
app = FastAPI()
@app.get("{PATH}")
async def weekend():
    return Response(BODY, media_type="application/json")
"""
LOADED = f"""
import os
import mlflow
from fastapi import FastAPI
MODEL = mlflow.pyfunc.load_model(os.environ["BENCH_MODEL"])
app = FastAPI()
@app.get("{PATH}")
async def weekend():
    return {{"loaded": True}}
"""


def free_port() -> int:
    """A port of the loopback that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: list[str], port: int, folder: Path, path: str = PATH, **environment: str
) -> Iterator[tuple[int, float]]:
    """A server while the block runs: its process id, and seconds from start to first answer."""
    # fds of the log outlive the server; what it said is shown if it never answers.
    log = folder / f"{port}.log"
    began = time.monotonic()
    with log.open("wb") as said:
        process = subprocess.Popen(
            command, cwd=folder, env=os.environ | environment, stdout=said, stderr=said
        )
    try:
        while True:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() - began < 120, log.read_text()
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
                    answer.read()
                break
            except OSError:
                time.sleep(0.005)
        yield process.pid, time.monotonic() - began
    finally:
        process.terminate()
        process.wait(30)


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *(one for child in children for one in family(int(child)))]


def resident_mb(pid: int) -> float:
    """Resident memory of a process and its descendants [MB]."""
    total = 0
    for one in family(pid):
        status = Path(f"/proc/{one}/status").read_text(encoding="utf-8")
        total += int(re.search(r"VmRSS:\s+(\d+)", status)[1])  # type: ignore[index]
    return total / 1024


def cpu_seconds(pid: int) -> float:
    """Processor time a process has used [s]."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(port: int, connections: int, seconds: int, pid: int, *extra: str) -> dict[str, float]:
    """One run of wrk: requests per second, 99th percentile [ms], processor µs per request."""
    before = cpu_seconds(pid)
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *extra]
        + ([f"http://127.0.0.1:{port}{PATH}"] if not extra else []),
        capture_output=True,
        text=True,
        check=True,
    )
    used = cpu_seconds(pid) - before
    text = done.stdout
    assert "Non-2xx" not in text, text
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups()  # type: ignore[union-attr]
    requests = int(re.search(r"(\d+) requests in", text)[1])  # type: ignore[index]
    return {
        "per_second": float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]),  # type: ignore[index]
        "p99_ms": float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit],
        "cpu_us": 1e6 * used / max(requests, 1),
    }


def polled(
    home: Path, folder: Path, seconds: int, rounds: int
) -> dict[str, dict[int, dict[str, float]]]:
    """The three servers under load, in turns so that a busy moment meets all of them."""
    serving = [sys.executable, "-m", "forecast.serving.run", "--port"]
    uvicorn = [sys.executable, "-m", "uvicorn", "--no-access-log", "--port"]
    ports = {name: free_port() for name in ("bare", "fastapi", "afflux")}
    limits = {"AFFLUX_HOME": str(home), "AFFLUX_UNLIMITED": "", "AFFLUX_RATE_LIMIT": "1000000000"}
    body = str(folder / "body")
    found: dict[str, dict[int, list[dict[str, float]]]] = {name: {} for name in ports}
    at = {name: str(port) for name, port in ports.items()}
    with running([*serving, at["afflux"]], ports["afflux"], folder, **limits) as (ours, _):
        with urllib.request.urlopen(f"http://127.0.0.1:{ports['afflux']}{PATH}") as answer:
            Path(body).write_bytes(answer.read())
        bare = running([*uvicorn, at["bare"], "bare:app"], ports["bare"], folder, BENCH_BODY=body)
        plain = running(
            [*uvicorn, at["fastapi"], "plain:app"], ports["fastapi"], folder, BENCH_BODY=body
        )
        with bare as (first, _), plain as (second, _):
            pids = {"bare": first, "fastapi": second, "afflux": ours}
            for name, pid in pids.items():
                load(ports[name], 8, 1, pid)  # Warm.
            for connections in CONNECTIONS:
                for _round in range(rounds):
                    for name, pid in pids.items():
                        run = load(ports[name], connections, seconds, pid)
                        found[name].setdefault(connections, []).append(run)
    return {
        name: {
            connections: {key: median(run[key] for run in runs) for key in runs[0]}
            for connections, runs in by.items()
        }
        for name, by in found.items()
    }


def started(home: Path, folder: Path, times: int) -> dict[str, float]:
    """Seconds from the command to the first answer, and memory then: the median of ``times``."""
    runs = []
    for _ in range(times):
        port = free_port()
        command = [shutil.which("afflux", path=str(Path(sys.executable).parent)) or "afflux"]
        command += ["serve", "--port", str(port)]
        with running(command, port, folder, AFFLUX_HOME=str(home)) as (pid, seconds):
            time.sleep(2)  # What is not polled is loaded after the first answer.
            runs.append((seconds, resident_mb(pid)))
    return {"start_seconds": median(r[0] for r in runs), "resident_mb": median(r[1] for r in runs)}


def mlflow_servers(home: Path, folder: Path, seconds: int) -> dict[str, dict[str, float]]:
    """The same model through MLflow: loaded before the first answer; and `mlflow models serve`."""
    uri = f"sqlite:///{home / 'models' / 'mlflow.db'}"
    script = (
        "import mlflow; c = mlflow.MlflowClient(); m = c.search_registered_models()[0]; "
        "print(f'models:/{m.name}@champion')"
    )
    environment = {"MLFLOW_TRACKING_URI": uri, "MLFLOW_DISABLE_TELEMETRY": "true"}
    named = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    environment["BENCH_MODEL"] = named
    # MLflow looks for uvicorn on the path.
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    port, other = free_port(), free_port()
    command = [sys.executable, "-m", "uvicorn", "loaded:app", "--port", str(port)]
    with running(command, port, folder, **environment) as (pid, first):
        loaded = {"start_seconds": first, "resident_mb": resident_mb(pid)}
    example = folder / "example.json"
    rows = subprocess.run(
        [sys.executable, "-c", EXAMPLE, str(home / "models" / "champion")],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    example.write_text(rows, encoding="utf-8")
    lua = folder / "post.lua"
    lua.write_text(
        f'wrk.method = "POST"\nwrk.body = io.open("{example}"):read("*a")\n'
        'wrk.headers["Content-Type"] = "application/json"\n',
        encoding="utf-8",
    )
    command = [str(Path(sys.executable).parent / "mlflow"), "models", "serve", "-m", named]
    command += ["--env-manager", "local", "--port", str(other), "--workers", "1"]
    with running(command, other, folder, path="/ping", **environment) as (pid, first):
        url = f"http://127.0.0.1:{other}/invocations"
        run = load(other, 8, seconds, pid, "-s", str(lua), url)
        served = {"start_seconds": first, "resident_mb": resident_mb(pid)}
    return {"loaded through MLflow": loaded, "mlflow models serve": {**served, **run}}


EXAMPLE = """
import json, sys
from pathlib import Path
from forecast.model import InfluxModel
model = InfluxModel.load(Path(sys.argv[1]))
columns = ["zone_id", *model.columns]
row = [model.zone_ids[0], *[1.0] * len(model.columns)]
print(json.dumps({"dataframe_split": {"columns": columns, "data": [row] * 24}}))
"""


def small_home(folder: Path) -> Path:
    """A home with a seeded publication, where none is given."""
    script = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); import conftest; "
        "from forecast.config import RunConfig; "
        "from forecast.serving.publication import write_publication; "
        "from forecast.serving.records import ModelStamp; import pandas as pd; "
        "zones = [dict(id=str(200000000 + i), name=f'Zone {i}', population=1, latitude=49.4, "
        "longitude=0.1) for i in range(8)]; "
        "c = RunConfig(id='essai', name='Essai', simulated=True, zones=zones); "
        "write_publication(Path(sys.argv[2]), forecasts=conftest.make_forecasts(c), config=c, "
        "sources=[], published_at=conftest.ORIGIN, model=ModelStamp('7'))"
    )
    home = folder / "home"
    where = [str(ROOT / "tests" / "serving"), str(home / "data" / "publications")]
    subprocess.run([sys.executable, "-c", script, *where], check=True)
    return home


def main() -> None:
    """Measure, print the tables, and end with one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--home", type=Path, help="a trained home; without it MLflow is left out")
    parser.add_argument("--seconds", type=int, default=8, help="length of each run of wrk")
    parser.add_argument("--save", action="store_true", help="keep it in results/serving.md")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, of which the median")
    given = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("benchmarks.serving needs wrk: install it (apt-get install wrk) and run again")
    facts: dict[str, object] = {"machine": machine()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for module, text in (("bare", BARE), ("plain", PLAIN), ("loaded", LOADED)):
            (folder / f"{module}.py").write_text(text, encoding="utf-8")
        home = given.home.absolute() if given.home else small_home(folder)
        results = polled(home, folder, given.seconds, given.rounds)
        size = (folder / "body").stat().st_size
        lines = [
            f"`{PATH}`, one worker, {size:,} bytes:",
            "",
            "| server | connections | requests/s | p99 [ms] | processor [µs/request] |",
            "|---|---:|---:|---:|---:|",
        ]
        for server, by in results.items():
            for connections, run in by.items():
                lines.append(
                    f"| {server} | {connections} | {run['per_second']:,.0f} | "
                    f"{run['p99_ms']:.2f} | {run['cpu_us']:.0f} |"
                )
        ours = started(home, folder, given.rounds)
        servers = {"afflux serve": ours}
        if given.home:
            servers |= mlflow_servers(home, folder, given.seconds)
        lines += ["", "| server | first answer [s] | resident [MB] | requests/s |"]
        lines.append("|---|---:|---:|---:|")
        for server, run in servers.items():
            speed = f"{run['per_second']:,.0f}" if "per_second" in run else ""
            start, memory = run["start_seconds"], run["resident_mb"]
            lines.append(f"| {server} | {start:.2f} | {memory:.0f} | {speed} |")
    ratios = {}
    for c in CONNECTIONS:
        bare, plain, mine = (results[name][c] for name in ("bare", "fastapi", "afflux"))
        ratios[f"of_bare_{c}"] = mine["per_second"] / bare["per_second"]
        ratios[f"over_fastapi_{c}"] = mine["per_second"] / plain["per_second"]
        ratios[f"p99_over_bare_{c}"] = mine["p99_ms"] / bare["p99_ms"]
        ratios[f"cpu_of_bare_{c}"] = mine["cpu_us"] / bare["cpu_us"]
    if given.home:
        loaded, served = servers["loaded through MLflow"], servers["mlflow models serve"]
        ratios["start_times_faster"] = loaded["start_seconds"] / ours["start_seconds"]
        ratios["over_mlflow_models_serve"] = (
            results["afflux"][8]["per_second"] / served["per_second"]
        )
    ratios = {name: round(ratio, 3) for name, ratio in ratios.items()}
    facts |= {"polled": results, "servers": servers, "ratios": ratios}
    text, last = "\n".join(lines), json.dumps(facts)
    if given.save:
        RESULTS.write_text(f"{HEAD}\n{text}\n\n{READING}\n```json\n{last}\n```\n", encoding="utf-8")
    print(f"\n{text}\n\n{last}")


if __name__ == "__main__":
    main()
