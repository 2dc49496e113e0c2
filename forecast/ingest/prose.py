"""The sentences of ``docs/input-contract.md`` that no definition holds."""

from __future__ import annotations

BEFORE_TABLES = """
# The input contract

<!-- Generated from forecast/ingest by `make docs`; edit the definitions there. -->

A territory is a folder: a `territory.toml`, and one CSV or Parquet file for each source it has,
named `<source>.csv` or `<source>.parquet`. No source is mandatory. The folder may also hold the
geometry named in territory.toml, a README, and licences; other files are ignored with a warning.

    afflux check FOLDER      # every problem at once: file, line, column, value, what to do
    afflux ingest FOLDER     # refuses what check refuses; --skip-bad-rows takes the other rows

An empty cell states nothing: it is never zero. A zero is a measurement.
"""

TERRITORY_EXAMPLE = """\
id = "estuaire"
name = "Estuaire de la Seine"
subdivision = ""
school = "Zone B"

[[zones]]
id = "200066827"
name = "Pays de Honfleur-Beuzeville"
population = 27103
latitude = 49.4218
longitude = 0.2326
coast = true

[[origin_markets]]
country = "FR"
school = "Zone C"
share = 0.7

[[origin_markets]]
country = "GB"
share = 0.3

[sources.waste]
publication_delay_hours = 96
"""

KEYS: dict[str, dict[str, str]] = {
    "RunConfig": {
        "id": "short name of the territory: small letters, digits, hyphens",
        "name": "name shown to people",
        "timezone": "time zone of its civil days and of hours without offset",
        "country": "ISO 3166 code of its public holidays",
        "subdivision": "subdivision of the country, as the `holidays` package names it",
        "school": 'school holidays of its residents, like `"Zone B"`',
        "simulated": "whether the files are simulated; shown wherever their figures are",
        "attribution": "credit to show with the figures",
        "licence": "licence of the published forecasts",
        "geometry": "GeoJSON file with one polygon for each zone",
        "communes": "CSV file with `commune_id` (INSEE code), `zone_id` and `name`",
        "zones": "the zones, see below",
        "origin_markets": "where visitors come from, for every zone that has no list of its own",
        "sources": "`[sources.<source>]` with `publication_delay_hours` [h]",
        "providers": "`[providers.<name>]`, where data is fetched: `kind` (default: the name), "
        "`enabled`, `every_hours` [h], `history_days` [d], and the keys of the kind",
        "max_horizon_days": "last day forecast, counted from the day of the forecast [d]",
        "quantiles": "quantiles of influx to forecast, 0.5 among them",
        "levels": "see below",
        "training": "see below",
        "gate": "see below",
        "publication": "see below",
    },
    "Zone": {
        "id": "identifier as in the files; text",
        "name": "name shown to people",
        "population": "inhabitants",
        "latitude": "degrees north",
        "longitude": "degrees east",
        "coast": "whether it has a seashore",
        "capacity": "visitors a day it can take; its levels then begin at 80, 100 and 120 % of it",
        "country": "of its public holidays, where not the territory's",
        "subdivision": "where not the territory's",
        "school": "where not the territory's",
        "origin_markets": "where its visitors come from, where not as in the territory",
    },
    "Origin": {
        "country": "ISO 3166 code",
        "subdivision": "of the country, for public holidays",
        "school": "subdivision whose school holidays apply",
        "share": "share of the visitors; the shares of a list sum to 1",
    },
    "Levels": {
        "orange": "days per year that reach orange or more",
        "rouge": "days per year that reach rouge or more",
        "noir": "days per year that reach noir",
    },
    "Training": {
        "origin_hour": "local hour of the day at which forecasts are made",
        "origin_stride_days": "days between the origins learnt from [d]",
        "history_days": "days of history learnt from [d]",
        "start": "first day learnt from, as 2021-10-01; empty: as far as history_days reaches",
        "backtest_days": "days scored by the backtest [d]",
        "backtest_stride_days": "days between two origins of the backtest [d]",
        "refit_days": "days between refits in the backtest [d]",
        "rounds": "boosting rounds of the quantiles; recursive members take twice as many; both "
        "three times as many, at a third of the pace, where fewer than 15,000 past questions teach",
        "learning_rate": "learning rate of the quantiles; two thirds of it in recursive members",
        "leaves": "leaves of each tree of the quantiles; 31 in recursive members",
        "min_leaf": "questions each leaf of the quantiles must hold; 20 days in recursive members",
        "blend": "share of the linear partner in the blend before its errors are known, 0 to 1",
        "seed": "seed of every random choice",
        "perfect_weather": "treat observed weather as forecast; marks every figure made so",
    },
    "Gate": {
        "holdout_days": "last days of the backtest on which both models are compared [d]",
        "coverage_low": "least share of days the 80 % interval may hold [1]",
        "coverage_high": "largest share of days the 80 % interval may hold [1]",
        "worst_zone": "how much worse than the champion's a zone's pinball may be, in proportion",
        "significance": "level of the test that the pinball is worse than the champion's [1]",
    },
    "Publication": {
        "every_hours": "how often a publication is expected; one that is late is counted [h]",
    },
}
"""Meaning of every key of territory.toml, by model and key."""

AFTER_TABLES = """
## Habits that are read without configuration

| | read | decided |
|---|---|---|
| encoding | UTF-8, UTF-16 or UTF-32 with a byte order mark; UTF-8; else Windows-1252 | per file |
| delimiter | `;`, `,` or tab: the one under which the header shows most known columns; Excel's \
`sep=;` line is obeyed | per file |
| quotes | `"`, doubled inside; a quoted cell may span lines; line numbers stay right | per file |
| column names | capitals, accents, spaces and underscores do not matter: `Zone ID` is `zone_id` | \
per column |
| numbers | decimal comma or point; thousands separated by spaces (no-break ones too), and by \
points or commas where the column shows it | per column |
| days | `2026-07-14`, `2026/07/14`, `20260714`, `14/07/2026`, `14-07-2026`, `14.07.2026`; day \
before month | per column |
| instants | a day, `T` or a space, `10:00` or `10h00`, seconds or not, `Z` or an offset or none: \
then the territory's local time | per column |
| blank lines, rows without any cell, delimiters at the end of a row | left out | |

Parquet columns may be typed (text, numbers, days, timestamps) or text, which is read as above.
Identifiers must be text: a number has lost its leading zeros.

## What is ambiguous is refused

- `1,234` or `1.234` where no other cell of the column tells a decimal from a thousands separator.
  `12,5`, `0,125`, `1234,5` or `1 234` elsewhere in the column decide; a decimal comma and a decimal
  point in one column contradict each other: the fewer are refused, and all undecided cells.
- `07/14/2026`. Days come first by rule, so `01/02/2026` is 1 February; but if a cell cannot be read
  so, the column may be American. Where no cell shows the day first the file is refused; where
  both are met, the cells that show the month first are, and with them, unless they are at most
  one for ten that show the day first, every cell with two readings.
- A year of two digits, a day where an instant is due, an Excel serial number.
- A local hour without offset that the change of the clocks skips or repeats.
- A header that two delimiters split equally well; two columns with the same name; a source given
  both as CSV and as Parquet.
- UTF-8 mixed with another encoding.
- Two rows that say different things of one fact. Rows that say the same are kept once.

## When a row could be read

A forecast made at an instant uses only what could be read then, so every row has an
`available_at`. State it if you know it. Where it is absent or empty it is derived:

- measured sources: the end of the local civil day of `date`, plus the source's delay;
- `weather_forecast`: `issued_at`, plus its delay;
- `events`: the end of the first day, plus its delay, which is negative: an event is known before.

Delays are set by `[sources.<source>] publication_delay_hours` in territory.toml. A delay that is
too short lets the model learn from what it will not have; give what really happens.

A measurement is refused if its day is not over, if it says it was known before the day was over,
or after now.

## Revisions

Nothing stored is ever overwritten. A file may hold several rows for one fact with different
`available_at`: each is kept, and each question is answered with the last one it could know. Where
`available_at` is derived, ingesting a file again with another value stores a revision available
from the moment of that ingestion. Ingesting the same file twice changes nothing.

A folder is ingested as one batch: all of it is stored, or nothing.
"""
