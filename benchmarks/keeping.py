"""What every benchmark says last, and how it keeps its figures."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
WHOLE = "--save keeps the panels of one run, all of them: name none"
"""Why figures of some panels are not kept: they would replace those of all."""


def machine() -> dict[str, Any]:
    """What the figures are measured on, and how busy it is now."""
    cpus = Path("/proc/cpuinfo")
    lines = cpus.read_text(encoding="utf-8").splitlines() if cpus.exists() else []
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "")
    return {
        "processor": model or platform.processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": sys.version.split()[0],
        "load_before": round(os.getloadavg()[0], 1),
    }


def keep(name: str, head: str, text: str, last: str) -> None:
    """Write ``results/<name>.md``: a title and what to know, the text as printed, the last line."""
    RESULTS.mkdir(exist_ok=True)
    found = f"{head}\n\n```text\n{text}\n```\n\n```json\n{last}\n```\n"
    (RESULTS / f"{name}.md").write_text(found, encoding="utf-8")
