"""One engine in a process of its own: ``python -m benchmarks.features.engine NAME FOLDER``.

It answers a small world first, to compile and warm up, then loads the large one in its natural form
and answers that against the clock. The last line it prints is a JSON object. The figures of the
zones to compare are left in ``FOLDER/NAME.npz``.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.features.world import HORIZONS, load, make_origins

MODULES = {"afflux": "ours", "parts": "in_parts", "pandas": "in_pandas", "polars": "in_polars"}
COLUMNS = 61
"""Columns of the answer."""
SHOWN = 8
"""Zones whose answers are compared, spread over all."""


def memory(name: str) -> float:
    """``VmRSS`` (now) or ``VmHWM`` (the most since :func:`forget_peak`) of this process [MB]."""
    status = Path("/proc/self/status")
    if not status.exists():  # not Linux: the most there ever was, whatever was asked
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    line = next(line for line in status.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024 / 1e6


def forget_peak() -> None:
    """Give memory back to the system, and count the peak from here."""
    gc.collect()
    if Path("/proc/self/clear_refs").exists():
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")


def shown_zones(zones: int) -> npt.NDArray[np.int64]:
    """Zones whose answers are compared."""
    return np.unique(np.linspace(0, zones - 1, SHOWN).astype(np.int64))


def shown(answer: Any, zones: int, origins: int) -> dict[str, npt.NDArray[np.float32]]:
    """Columns of the zones to compare, each of shape (zones, origins, horizons)."""
    which = shown_zones(zones)
    if hasattr(answer, "grid"):  # the product sorts questions by zone, the peers by origin
        shape, swap = (zones, origins, HORIZONS), False
        columns = dict(zip(answer.columns, answer.values, strict=True))
    else:
        shape, swap = (origins, zones, HORIZONS), True
        columns = {name: answer[name].to_numpy() for name in answer.columns}
    found = {}
    for name, values in columns.items():
        whole = values.reshape(shape)
        found[name] = np.ascontiguousarray(whole[:, which].swapaxes(0, 1) if swap else whole[which])
    return found


def memset(world: dict[str, Any], origins: npt.NDArray[np.int64]) -> Callable[[], Any]:
    """The floor: writing one value all over an array of that size."""
    rows = len(world["zones"]["population"]) * len(origins) * HORIZONS

    def answer() -> Any:
        out = np.empty((COLUMNS, rows), dtype=np.float32)
        out.fill(1.0)
        return out

    return answer


def main(name: str, folder: Path) -> None:
    """Run one engine and print what it took."""
    if name == "memset":
        prepare: Callable[..., Callable[[], Any]] = memset
    else:
        prepare = importlib.import_module(f"benchmarks.features.{MODULES[name]}").prepare
    prepare(load(folder / "small.npz"), make_origins(2))()
    forget_peak()
    imported = memory("VmRSS")
    years = int((folder / "years").read_text())
    world, origins = load(folder / "large.npz"), make_origins(years)
    zones = len(world["zones"]["population"])
    ask = prepare(world, origins)
    del world
    forget_peak()
    ready = memory("VmRSS")
    start, cpu = time.perf_counter(), time.process_time()
    answer = ask()
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = memory("VmHWM")
    columns = COLUMNS
    if name != "memset":
        found = shown(answer, zones, len(origins))
        np.savez(folder / f"{name}.npz", **found)
        columns = len(found)
    print(
        json.dumps(
            {
                "engine": name,
                "columns": columns,
                "rows": zones * len(origins) * HORIZONS,
                "seconds": round(seconds, 3),
                "cpu_seconds": round(cpu, 3),
                "imports_mb": round(imported),
                "ready_mb": round(ready),
                "peak_mb": round(peak),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
