"""What the panels share: where the data sets are, and how an input folder is written."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from forecast.config import read_config

BESIDE = Path(__file__).resolve().parents[3] / "shared" / "datasets"
"""Where the data sets are looked for if AFFLUX_DATASETS does not say."""

Panel = Callable[[Path], tuple[Mapping[str, Any], Mapping[str, pd.DataFrame]]]
"""From the folder of data sets to the content of territory.toml and one table per source."""


def main(name: str, panel: Panel, description: str | None, data: str = "") -> None:
    """Run one panel from the command line: ``python -m benchmarks.panels.<name> OUT``.

    ``data`` is the folder of its data set, where that has another name than the panel.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.panels.{name}")
    parser.description = (description or "").splitlines()[0]
    parser.add_argument("out", type=Path, help="folder to write territory.toml and the files to")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("AFFLUX_DATASETS") or BESIDE),
        help="folder of the data sets (default: AFFLUX_DATASETS, or %(default)s)",
    )
    given = parser.parse_args()
    if not (given.data / (data or name)).is_dir():
        parser.error(
            f"{given.data} holds no folder {data or name!r}: give the folder of the data sets "
            "with --data or in AFFLUX_DATASETS"
        )
    territory, tables = panel(given.data / (data or name))
    write(given.out, territory, tables)
    rows = ", ".join(f"{source} {len(table):,} rows" for source, table in tables.items())
    print(f"{given.out}: {len(territory['zones'])} zones, {rows}")


def write(out: Path, territory: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> None:
    """Write an input folder: ``territory.toml``, and ``<source>.csv`` for every table."""
    out.mkdir(parents=True, exist_ok=True)
    config = out / "territory.toml"
    config.write_text(toml(territory), encoding="utf-8")
    read_config(config)
    for source, table in tables.items():
        table.to_csv(out / f"{source}.csv", index=False)


def unpeopled(zones: Mapping[str, str], latitude: float, longitude: float) -> list[dict[str, Any]]:
    """Zones of a territory.toml, by id and name, that are counters: all at one place of the city.

    Nobody lives at a counter, so that influx per head means nothing.
    """
    place = {"population": 1, "latitude": latitude, "longitude": longitude}
    return [{"id": zone, "name": name, **place} for zone, name in zones.items()]


def toml(content: Mapping[str, Any], name: str = "") -> str:
    """A mapping of scalars, tables and lists of tables as TOML.

    >>> print(toml({"id": "a", "sources": {"influx": {"delay": 8.0}}, "zones": [{"id": "z"}]}))
    id = "a"
    <BLANKLINE>
    [sources.influx]
    delay = 8.0
    <BLANKLINE>
    [[zones]]
    id = "z"
    <BLANKLINE>
    """
    scalars, tables = "", ""
    for key, value in content.items():
        path = f"{name}.{key}" if name else key
        if isinstance(value, Mapping):
            text = toml(value, path)
            tables += text if text.startswith("\n[") else f"\n[{path}]\n{text}"
        elif isinstance(value, list):
            for item in value:
                tables += f"\n[[{path}]]\n{toml(item, path)}"
        else:
            # A JSON text, number or truth value is also a TOML one.
            scalars += f"{key} = {json.dumps(value, ensure_ascii=False)}\n"
    return scalars + tables
