"""What every benchmark says last, and how it keeps its figures."""

from __future__ import annotations

import json
import os
import platform
import re
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
_SECTION = re.compile(r"^## (\S+)\n\nMeasured .*?```text\n(.*?)\n```$", re.MULTILINE | re.DOTALL)


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
    _write(RESULTS / f"{name}.md", head, f"```text\n{text}\n```", last)


def keep_panels(
    name: str,
    head: str,
    texts: Mapping[str, str],
    summary: Mapping[str, Any],
    results: Path = RESULTS,
) -> None:
    """Write ``results/<name>.md`` as :func:`keep` does, a section for each panel, with its date.

    A run of some panels replaces theirs and leaves those of the others as they were kept. ``texts``
    are the tables as printed and ``summary["panels"]`` the figures, both by panel; beside these is
    kept on which machine they were measured.
    """
    file = results / f"{name}.md"
    today = {"measured": f"{date.today()}", "machine": summary["machine"]}
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    tables = dict(_SECTION.findall(text)) | dict(texts)
    figures = kept_panels(name, results)
    figures |= {panel: today | told for panel, told in summary["panels"].items()}
    shown = "\n\n".join(
        f"## {panel}\n\nMeasured on {of['measured']}.\n\n```text\n{tables[panel]}\n```"
        for panel, of in figures.items()
    )
    last = json.dumps({"benchmark": summary["benchmark"], "panels": figures})
    _write(file, head, shown, last)


def kept_panels(name: str, results: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """Figures by panel that ``results/<name>.md`` keeps; none if there is no such file."""
    file = results / f"{name}.md"
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    _, _, last = text.rpartition("```json\n")
    return dict(json.loads(last.partition("\n```")[0] or "{}").get("panels", {}))


def _write(file: Path, head: str, shown: str, last: str) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"{head}\n\n{shown}\n\n```json\n{last}\n```\n", encoding="utf-8")
