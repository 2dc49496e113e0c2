"""The data engineers' room: from the files a territory brings to rows of the observations table.

::

    decoding ─► reading ─► shape ─┐
                                  ├─► raw ─► cells ─► checking ─► observations ─► folder ─► lake
    parquet ──────────────────────┘    (numerals, moments)     (suspicions, coverage)

``contract`` says what the files hold, ``kinds`` and ``report`` what can be wrong with them;
``table_schema`` and ``docs`` publish both. To add a column, add it to ``contract``; to add a
source, add a table there and its delay to ``forecast.config``.
"""

from forecast.ingest.folder import (
    Checked,
    Ingested,
    SourceCount,
    check_folder,
    ingest_folder,
)
from forecast.ingest.report import Problem, Report

__all__ = [
    "Checked",
    "Ingested",
    "Problem",
    "Report",
    "SourceCount",
    "check_folder",
    "ingest_folder",
]
