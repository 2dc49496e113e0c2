"""The data engineers' room: from files and providers to rows of the observations table.

There are two ways in, and one lake.

**Files** that a territory brings, in the layout of the input contract, all or nothing::

    decoding ─► reading ─► shape ─┐
                                  ├─► raw ─► cells ─► checking ─► observations ─► folder ─► lake
    parquet ──────────────────────┘    (numerals, moments)     (suspicions, coverage)

``listing`` finds the files, ``contract`` says what they hold, ``kinds`` and ``report`` what can be
wrong with them; ``table_schema``, ``docs`` and ``prose`` publish both. To add a column, add it to
``contract``; to add a source, add a table there and its delay to ``forecast.config``.

**Providers**, which are asked over HTTP or read a folder, piece by piece::

    configured ─► fetching ─► providers/KIND ─► facts ─► screening ─► storing ─► lake
                   │   │        │
                   │   │        ├─ http ─► wire ─► answers       the one HTTP client, and keyed
                   │   │        ├─ documents ─► unpacking        whole files, from a URL or a folder
                   │   │        └─ a parser (below)              bytes in, rows and sentences out
                   │   └─ places                                 points, communes, codes to zones
                   └─ state, samples (sqlite)                    what was fetched; readings polled

``provider`` is the protocol that a kind follows; it is one file of ``providers/``, discovered by
being there (``docs/adding-a-source.md``). ``standing`` and ``provider_docs`` say how the providers
fare and what they are. Their parsers are pure functions, fuzzed in ``tests/fuzz``:

=================  ================================================================================
weather            ``open_meteo_api`` (``_answers``, ``_batch``, ``_past``), ``hours``;
                   ``climate_files``, ``climatology``, ``stations`` of Météo-France
mobility           ``counting_tables``, ``passages``; ``daily_counts``; ``road_traffic``,
                   ``lambert93``
parking            ``car_parks``, ``occupancy``
polled feeds       ``polling``, ``slots``: readings to days
waste              ``tickets``, ``overlaps``
influx             ``presence``, ``origins``
events             ``ical``, ``recurrence``, ``tourism``, ``happenings``
any layout         ``mapping``, ``records``, ``fields`` by configuration; ``tabular``,
                   ``spreadsheets`` for tables; ``safe_xml``
=================  ================================================================================
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
