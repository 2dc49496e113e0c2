"""One Delta table that only grows: open, scan, append without losing a race, compact.

delta-rs lets two appends that started from the same version both succeed, which would store a row
twice when both bring it. Every append here therefore carries the same transaction identifier: the
one that commits second is refused, opens the table again, decides anew what is missing, and tries
again. See ``docs/decisions/0002-observations-in-delta.md``.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs as pafs
from deltalake import (
    CommitProperties,
    DeltaTable,
    PostCommitHookProperties,
    Schema,
    Transaction,
    write_deltalake,
)
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.fs import DeltaStorageHandler

from forecast.errors import LakeError

RETENTION_DAYS = 400
"""Days for which every version stays readable, replaced files and log included."""

_APPLICATION = "afflux"
_ATTEMPTS = 40


@contextmanager
def _explained(url: str, verb: str) -> Iterator[None]:
    """Turn what the storage raises into a :class:`LakeError` that says what to do."""
    try:
        yield
    except (DeltaError, pa.ArrowException, OSError) as error:
        # delta-rs colours its messages and appends a stack; the first line says what happened.
        reason = re.sub(r"\x1b\[\d+m", "", str(error)).strip().split("\n")[0].strip()
        raise LakeError(
            f"{url}: the table cannot be {verb} ({reason}). Check that this place can be reached "
            "and written to, and that the disk is not full; if it can, a file of the table is "
            "damaged or gone: restore the folder from a backup, or move it aside and ingest the "
            "source files again"
        ) from error


@dataclass(frozen=True)
class LakeTable:
    """The Delta table at ``url``, with the columns and partitions it is created with.

    File statistics are kept for the column ``pruned_by`` alone, the one whose span differs from
    file to file: it lets a read skip files, and keeps the log small.
    """

    url: str
    columns: pa.Schema
    pruned_by: str
    partition_by: Sequence[str] = ()
    storage_options: Mapping[str, str] | None = None

    @property
    def _options(self) -> dict[str, str] | None:
        return dict(self.storage_options) if self.storage_options else None

    def open(self, version: int | None = None) -> Any | None:
        """The table (at ``version``, default: now), or ``None`` if it has not been created yet.

        Raises
        ------
        LakeError
            If it cannot be read, has lost its log, or has no such version.
        """
        with _explained(self.url, "read"):
            newest = self._load()
        last = newest.version() if newest is not None else 0
        if version is None or version == last:
            return newest
        if not 0 <= version < last:
            raise LakeError(f"{self.url}: there is no version {version}; expected 0 to {last}")
        try:
            return DeltaTable(self.url, version=version, storage_options=self._options)
        except DeltaError as error:
            raise LakeError(
                f"{self.url}: version {version} cannot be read any more; versions are kept for "
                f"{RETENTION_DAYS} days. Choose a later one, or read as known at an instant"
            ) from error

    def _load(self) -> Any | None:
        try:
            return DeltaTable(self.url, storage_options=self._options)
        except TableNotFoundError:
            # Also raised for an unknown kind of URL and for a table whose log was deleted:
            # creating a table over such data would hide it.
            if any(name.endswith(".parquet") for name in self._files()):
                raise
            return None

    def _files(self) -> list[str]:
        parts = urlsplit(self.url)
        if parts.scheme in ("", "file"):
            folder = Path(unquote(parts.path) if parts.scheme else self.url)
            return [str(path) for path in folder.rglob("*.parquet")]
        remote = pafs.PyFileSystem(DeltaStorageHandler(self.url, self._options))
        everything = pafs.FileSelector("", recursive=True, allow_not_found=True)
        return [info.path for info in remote.get_file_info(everything)]

    def _create(self) -> Any:
        try:
            return DeltaTable.create(
                self.url,
                schema=Schema.from_arrow(self.columns),
                mode="ignore",
                partition_by=list(self.partition_by),
                configuration={
                    "delta.appendOnly": "true",
                    "delta.dataSkippingStatsColumns": self.pruned_by,
                    "delta.deletedFileRetentionDuration": f"interval {RETENTION_DAYS} days",
                    "delta.logRetentionDuration": f"interval {RETENTION_DAYS} days",
                },
                storage_options=self._options,
            )
        except DeltaError:
            created_meanwhile = self._load()
            if created_meanwhile is None:
                raise
            return created_meanwhile

    def scan(self, table: Any, rows: ds.Expression | None) -> pa.Table:
        """Rows of an open table that satisfy an expression, text columns as dictionaries."""
        with _explained(self.url, "read"):
            schema = pa.schema(table.schema().to_arrow())
            text = {field.name for field in schema if field.type == pa.string()}
            for name in text & set(self.partition_by):
                place = schema.get_field_index(name)
                schema = schema.set(place, pa.field(name, pa.dictionary(pa.int32(), pa.string())))
            dataset = table.to_pyarrow_dataset(
                schema=schema,
                parquet_read_options=ds.ParquetReadOptions(
                    dictionary_columns=text - set(self.partition_by)
                ),
            )
            return dataset.to_table(filter=rows).unify_dictionaries()

    def append(self, missing: Callable[[Any | None], pa.Table], note: Mapping[str, str]) -> int:
        """Append, in one atomic commit, the rows that ``missing(table)`` finds to be absent.

        ``missing`` is asked again, with the table as it then is, whenever another process
        committed in between; it is given ``None`` as long as there is no table. Nothing is
        committed where nothing is missing. Returns the version that holds the rows.

        Raises
        ------
        LakeError
            If the table cannot be read or written, or stays busy.
        """
        refused: CommitFailedError | None = None
        for attempt in range(_ATTEMPTS):
            if attempt:
                # Processes that collided once would collide again if they waited equally long.
                time.sleep(0.005 * min(attempt, 10) * (1 + os.getpid() % 5))
            table = self.open()
            rows = missing(table)
            if not rows.num_rows:
                return int(table.version()) if table is not None else 0
            with _explained(self.url, "written"):
                if table is None:
                    table = self._create()
                    if table.version() > 0:
                        continue
                try:
                    write_deltalake(
                        table,
                        rows,
                        mode="append",
                        schema_mode="merge",
                        commit_properties=CommitProperties(
                            custom_metadata={"note": dict(note)} if note else None,
                            app_transactions=[Transaction(_APPLICATION, table.version() + 1)],
                        ),
                    )
                except CommitFailedError as error:
                    refused = error
                    continue
            return int(table.version())
        raise LakeError(
            f"{self.url}: other processes were writing at each of {_ATTEMPTS} attempts; nothing "
            "was stored. Try again when they are done"
        ) from refused

    def compact(self) -> tuple[int, int, int]:
        """Merge small files, write a checkpoint, delete what no kept version needs.

        Returns the number of files before and after, and of those deleted. delta-rs 1.6 does not
        notice that another process compacts at the same time: both then store all rows, which is
        why every read leaves out the second copy of a row.

        Raises
        ------
        LakeError
            If the table cannot be read or written.
        """
        table = self.open()
        if table is None:
            return 0, 0, 0
        with _explained(self.url, "compacted"):
            before = len(table.file_uris())
            # A checkpoint is written below, once, rather than by each commit.
            quiet = PostCommitHookProperties(create_checkpoint=False)
            table.optimize.compact(post_commithook_properties=quiet)
            deleted: list[str] = table.vacuum(full=True, dry_run=True)
            if deleted:
                table.vacuum(full=True, dry_run=False, post_commithook_properties=quiet)
            table.create_checkpoint()
            return before, len(table.file_uris()), len(deleted)
