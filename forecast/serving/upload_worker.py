"""The process that checks and stores uploads: ``python -m forecast.serving.upload_worker``.

It does what `afflux check` and `afflux ingest` do, on a folder that holds the one file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from forecast.errors import ContractError
from forecast.ingest.folder import check_folder, ingest_folder
from forecast.ingest.report import Report
from forecast.lake import Lake
from forecast.serving.work import work
from forecast.settings import Settings

LISTED = 200
"""Problems of a file that are listed at most; all are counted."""


@dataclass(frozen=True)
class Intake:
    """Checks and stores the files of one home."""

    settings: Settings

    def answer(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of ``POST /v1/sources/{source}/files``, less what only the server knows.

        ``question`` has the ``folder``, whether it is a ``dry_run``, and the present instant,
        ``now``. Nothing of a file with errors is stored.

        Raises
        ------
        AffluxError
            If this home has no configuration, or its lake cannot be written.
        """
        folder, now = Path(question["folder"]), pd.Timestamp(question["now"])
        config, stored = self.settings.run_config(), None
        if question["dry_run"]:
            report = check_folder(folder, config, now=now).report
        else:
            try:
                stored = ingest_folder(folder, Lake(self.settings.lake), config=config, now=now)
                report = stored.report
            except ContractError as error:
                if not isinstance(error.report, Report):
                    raise
                report = error.report
        return {
            "stored": stored is not None,
            "new": stored.new if stored else 0,
            "known": stored.known if stored else 0,
            "revised": stored.revised if stored else 0,
            "lake_version": stored.version if stored else None,
            "report": report.as_dict(limit=LISTED),
        }


if __name__ == "__main__":
    work(Intake(Settings.from_environment()).answer)
