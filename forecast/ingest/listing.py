"""What a folder of input files holds: its territory, its files, and what does not belong there."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from forecast.config import RunConfig, read_config
from forecast.errors import ConfigError
from forecast.ingest.contract import CONTRACT, SourceTable
from forecast.ingest.report import Findings

TERRITORY = "territory.toml"
SUFFIXES = (".csv", ".parquet")


def read_territory(folder: Path, findings: Findings) -> RunConfig | None:
    """The configuration in ``territory.toml``, or None with the reason recorded."""
    path = folder / TERRITORY
    if folder.is_dir() and not path.is_file():
        findings.add(
            "territory",
            TERRITORY,
            "the folder has no such file",
            expected="zones with id, name, population, latitude and longitude",
            advice="write one; docs/input-contract.md shows how",
        )
        return None
    try:
        return read_config(path) if path.is_file() else None
    except ConfigError as error:
        for line in str(error).splitlines():
            findings.add("territory", TERRITORY, line.removeprefix(f"{path}: "))
        return None


def list_files(
    folder: Path, config: RunConfig | None, findings: Findings
) -> list[tuple[Path, SourceTable]]:
    """The folder's files of the contract; everything else in it is reported."""
    if not folder.is_dir():
        findings.add("no_file", str(folder), "there is no such folder", advice="check its path")
        return []
    found: dict[str, Path] = {}
    twice: set[str] = set()
    beside = [config.geometry, config.communes] if config else []
    for path in sorted(folder.iterdir(), key=lambda p: p.name):
        source, suffix = path.stem.casefold(), path.suffix.casefold()
        if path.is_file() and source in CONTRACT and suffix in SUFFIXES:
            if source in found:
                twice.add(source)
                findings.add(
                    "source_twice",
                    path.name,
                    f"{found[source].name} is there as well",
                    advice="keep one of them",
                )
            found.setdefault(source, path)
        elif not _expected_beside(path, beside):
            _unknown_file(path, findings)
    if not found:
        names = ", ".join(f"{name}.csv" for name in CONTRACT)
        findings.add(
            "no_file",
            str(folder),
            "the folder holds no file of the input contract",
            expected=f"one or more of {names} (or .parquet)",
        )
    return [(found[name], CONTRACT[name]) for name in CONTRACT if name in found.keys() - twice]


def _expected_beside(path: Path, beside: list[str]) -> bool:
    name = path.name.casefold()
    return (
        name in {TERRITORY, *(Path(file).name.casefold() for file in beside)}
        or name.startswith((".", "readme", "licen", "notice"))
        or path.suffix.casefold() == ".md"
    )


def _unknown_file(path: Path, findings: Findings) -> None:
    near = get_close_matches(path.stem.casefold(), list(CONTRACT), n=1, cutoff=0.6)
    if path.suffix.casefold() in (".xlsx", ".xls", ".ods"):
        advice = "save the sheet as 'CSV UTF-8'"
    elif near:
        advice = f"did you mean {near[0]}.csv?"
    else:
        advice = "move it elsewhere, or name it as in docs/input-contract.md"
    kind = "folder" if path.is_dir() else "file"
    findings.add(
        "unknown_file", path.name, f"the contract has no such {kind}; it is ignored", advice=advice
    )
