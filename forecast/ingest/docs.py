"""The published contract: ``docs/input-contract.md`` and ``docs/schemas/*.json``, as text.

Both are made from the definitions that check the files, so that they cannot say something else.
"""

from __future__ import annotations

import json

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from forecast.config import (
    DEFAULT_DELAYS_HOURS,
    Gate,
    Levels,
    Origin,
    Publication,
    RunConfig,
    Training,
    Zone,
)
from forecast.ingest.contract import CONTRACT, SourceTable
from forecast.ingest.kinds import KINDS
from forecast.ingest.prose import AFTER_TABLES, BEFORE_TABLES, KEYS, TERRITORY_EXAMPLE
from forecast.ingest.table_schema import table_schema
from forecast.ingest.tickets import TICKETS
from forecast.tables import Column


def generated_docs() -> dict[str, str]:
    """Every generated document of this room: its path from the root of the project, its text."""
    return {"docs/input-contract.md": input_contract()} | schemas()


def schemas() -> dict[str, str]:
    """Table Schema of each source and of weighbridge tickets, by path."""
    pages = dict.fromkeys(CONTRACT.values(), "docs/input-contract.md")
    pages[TICKETS] = "docs/sources.md"
    return {
        f"docs/schemas/{table.name}.json": json.dumps(
            table_schema(table, page), indent=2, ensure_ascii=False
        )
        + "\n"
        for table, page in pages.items()
    }


def input_contract() -> str:
    """The text of ``docs/input-contract.md``."""
    parts = [
        BEFORE_TABLES,
        "## The files",
        *(_source(table) for table in CONTRACT.values()),
        "## territory.toml",
        _territory(),
        AFTER_TABLES,
        "## What refuses, what warns",
        _kinds(),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def example(table: SourceTable) -> str:
    """A file of one row with every column, in the plain form that Table Schema describes."""
    columns = table.schema.columns
    header = ",".join(column.name for column in columns)
    return f"{header}\n{','.join(column.example for column in columns)}\n"


def _source(table: SourceTable) -> str:
    schema = table.schema
    rows = [
        "| column | kind | unit | bounds | must be there | meaning |",
        "|---|---|---|---|---|---|",
        *(
            f"| `{c.name}` | {c.kind} | {c.unit} | {_bounds(c)} | {_presence(c, table)} "
            f"| {c.meaning} |"
            for c in schema.columns
        ),
    ]
    keys = ", ".join(f"`{key}`" for key in schema.keys)
    delay = DEFAULT_DELAYS_HOURS[table.name]
    return "\n\n".join(
        [
            f"### {schema.name}.csv",
            f"A row is {schema.row}, identified by {keys}. Default delay: {delay:g} h. "
            f"Table Schema: [schemas/{schema.name}.json](schemas/{schema.name}.json).",
            "\n".join(rows),
            f"```csv\n{example(table)}```",
        ]
    )


def _bounds(column: Column) -> str:
    if column.low is None or column.high is None:
        return ""
    return f"{column.low:,.10g} to {column.high:,.10g}"


def _presence(column: Column, table: SourceTable) -> str:
    if column.required:
        return "in every row"
    if column.name in table.needs:
        return "the column; cells may be empty"
    if column.name in table.variables and not table.needs:
        return "one of these columns; cells may be empty"
    return "optional"


def _territory() -> str:
    tables: list[tuple[str, type[BaseModel]]] = [
        ("At the top", RunConfig),
        ("`[[zones]]`, one for each zone", Zone),
        ("`[[origin_markets]]` and `[[zones.origin_markets]]`", Origin),
        ("`[levels]`, days per year", Levels),
        ("`[training]`", Training),
        ("`[gate]`, what a candidate must reach to be promoted", Gate),
        ("`[publication]`, how often forecasts are published", Publication),
    ]
    parts = [
        "Only `id`, `name` and the zones are required. Unknown keys are refused.",
        f"```toml\n{TERRITORY_EXAMPLE}```",
    ]
    for title, model in tables:
        parts.append(f"**{title}**")
        rows = ["| key | default | meaning |", "|---|---|---|"]
        for name, info in model.__pydantic_fields__.items():
            rows.append(f"| `{name}` | {default(info)} | {meaning(model, name)} |")
        parts.append("\n".join(rows))
    return "\n\n".join(parts)


def meaning(model: type[BaseModel], key: str) -> str:
    """What a key of territory.toml means; empty if nobody has said."""
    described = model.__pydantic_fields__[key].description
    return described or KEYS.get(model.__name__, {}).get(key, "")


def default(info: FieldInfo) -> str:
    """The default of a key as it would be written, empty if there is none."""
    if info.is_required():
        return "required"
    value = info.get_default(call_default_factory=True)
    if value is PydanticUndefined or isinstance(value, BaseModel) or value in (None, (), {}, ""):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`[{', '.join(map(str, value))}]`"
    return f"`{value}`"


def _kinds() -> str:
    rows = ["| name | effect | meaning |", "|---|---|---|"]
    for name, kind in KINDS.items():
        if kind.severity == "warning":
            effect = "warns"
        else:
            effect = "refuses the file" if kind.whole_file else "refuses the row"
        rows.append(f"| `{name}` | {effect} | {kind.meaning} |")
    return "In the order of the report, most important first.\n\n" + "\n".join(rows)
