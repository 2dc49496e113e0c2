"""A folder of input files: checked as a whole, and ingested as one batch or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.config import RunConfig
from forecast.errors import ContractError
from forecast.ingest.cells import understand
from forecast.ingest.checking import check_rows
from forecast.ingest.contract import SourceTable
from forecast.ingest.coverage import suspect_coverage
from forecast.ingest.listing import list_files, read_territory
from forecast.ingest.observations import drop_repeated, join, to_observations
from forecast.ingest.parquet import read_parquet
from forecast.ingest.place import Place
from forecast.ingest.reading import read_csv
from forecast.ingest.report import Findings, Report
from forecast.ingest.suspicions import suspect_series
from forecast.lake import Lake
from forecast.tables import OBSERVATIONS

_READERS = {".csv": read_csv, ".parquet": read_parquet}


@dataclass(frozen=True)
class SourceCount:
    """What became of one file: rows read, rows refused, copies dropped, observations made."""

    source: str
    rows: int
    skipped: int
    repeated: int
    observations: int


@dataclass(frozen=True)
class Checked:
    """A folder after checking.

    ``observations`` are the rows that passed, as the table of that name; ``derived`` (one flag for
    each) says where ``available_at`` was derived from a publication delay. ``config`` is None only
    if territory.toml cannot be used.
    """

    report: Report
    observations: pd.DataFrame
    derived: npt.NDArray[np.bool_]
    config: RunConfig | None
    counts: tuple[SourceCount, ...]


@dataclass(frozen=True)
class Ingested:
    """A folder after ingestion: ``new + known + revised`` observations.

    ``counts`` say what became of each file, ``by_source`` holds the three counts of each source;
    ``version`` is the version of the lake that holds them.
    """

    report: Report
    counts: tuple[SourceCount, ...]
    new: int
    known: int
    revised: int
    version: int
    by_source: Mapping[str, tuple[int, int, int]]

    @property
    def skipped(self) -> int:
        """Rows refused and left out."""
        return sum(count.skipped for count in self.counts)


def check_folder(
    folder: Path,
    config: RunConfig | None = None,
    *,
    now: pd.Timestamp,
    progress: Callable[[str], None] | None = None,
) -> Checked:
    """Check every file of a folder against the input contract, and report all problems at once.

    Without ``config`` the folder's territory.toml is read. ``now`` is the instant (UTC) that
    separates what can have been measured from what cannot; ``progress`` is told each file's name.
    Nothing is raised for bad input: it is in the report.
    """
    findings = Findings()
    if config is None:
        config = read_territory(folder, findings)
    place = Place.of(config)
    parts, counts = [], []
    for path, table in list_files(folder, config, findings):
        if progress:
            progress(path.name)
        count, observations = _check_file(path, table, place, now.tz_convert("UTC"), findings)
        counts.append(count)
        if observations is not None:
            suspect_series(path.name, table, observations, findings)
            suspect_coverage(path.name, table, observations, place, findings)
            parts.append(observations)
    everything = join([part for part in parts if len(part)])
    return Checked(
        report=findings.report(),
        observations=everything[list(OBSERVATIONS.names)],
        derived=everything["derived"].to_numpy(dtype=bool),
        config=config,
        counts=tuple(counts),
    )


def ingest_folder(
    folder: Path,
    lake: Lake,
    *,
    config: RunConfig | None,
    now: pd.Timestamp,
    skip_bad_rows: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Ingested:
    """Check a folder and append what it says to the lake, in one atomic batch.

    With ``skip_bad_rows`` the rows at fault are left out and counted; a file that cannot be
    understood as a whole is still refused.

    Raises
    ------
    ContractError
        If the check finds errors; ``report`` of the exception lists them all.
    LakeError
        If the lake cannot be written.
    """
    checked = check_folder(folder, config, now=now, progress=progress)
    report = checked.report
    if report.blocking:
        raise ContractError(
            f"{folder}: {report.blocking[0].text()}; nothing was ingested. "
            f"`afflux check {folder}` lists every problem",
            report,
        )
    if not report.ok and not skip_bad_rows:
        raise ContractError(
            f"{folder}: {report.problems[0].text()}; {report.errors:,} error"
            f"{'' if report.errors == 1 else 's'} in all, nothing was ingested. "
            "Correct the files, or leave the bad rows out with --skip-bad-rows",
            report,
        )
    if progress:
        progress("lake")
    appended = lake.append(
        checked.observations,
        now=now,
        derived=checked.derived,
        note={"folder": folder.name, "skipped_rows": str(sum(c.skipped for c in checked.counts))},
    )
    return Ingested(
        report=report,
        counts=checked.counts,
        new=appended.new,
        known=appended.known,
        revised=appended.revised,
        version=appended.version,
        by_source=appended.by_source,
    )


def _check_file(
    path: Path, table: SourceTable, place: Place, now: pd.Timestamp, findings: Findings
) -> tuple[SourceCount, pd.DataFrame | None]:
    raw = _READERS[path.suffix.casefold()](path, table, findings)
    typed = None if raw is None else understand(raw, table, place, findings)
    if typed is None:
        rows = 0 if raw is None else len(raw)
        return SourceCount(table.name, rows, rows, 0, 0), None
    if len(typed) == 0:
        findings.add("short_history", path.name, "the file has a header and no rows")
        return SourceCount(table.name, 0, 0, 0, 0), None
    check_rows(typed, table, place, now, findings)
    repeated, shared = drop_repeated(typed, table, place, findings)
    observations = to_observations(typed, ~typed.bad & ~repeated, table, place)
    if shared:
        observations = observations.drop_duplicates(list(OBSERVATIONS.keys), ignore_index=True)
    count = SourceCount(
        source=table.name,
        rows=len(typed),
        skipped=int(typed.bad.sum()),
        repeated=int(repeated.sum()),
        observations=len(observations),
    )
    return count, observations
