"""The contract as Table Schema (frictionless), one JSON document for each source.

The schemas describe the plain form of a file: comma, decimal point, UTF-8, ISO dates. Ingestion
also reads the habits listed in ``docs/input-contract.md``.

References
----------
https://specs.frictionlessdata.io/table-schema/ and https://datapackage.org/standard/table-schema/
"""

from __future__ import annotations

from typing import Any

from forecast.ingest.contract import SourceTable
from forecast.tables import Column

_TYPES = {
    "text": "string",
    "number": "number",
    "integer": "integer",
    "date": "date",
    "instant": "datetime",
}


def table_schema(table: SourceTable, page: str = "docs/input-contract.md") -> dict[str, Any]:
    """The Table Schema of a source, ready for JSON; ``page`` is where its files are described.

    ``fieldsMatch: superset`` lets optional columns be absent; a file must still have the value
    columns it needs, which Table Schema cannot say for cells that may be empty.
    """
    return {
        "$schema": "https://datapackage.org/profiles/2.0/tableschema.json",
        "name": table.name.replace("_", "-"),
        "title": table.schema.row.capitalize(),
        "description": f"One row is {table.schema.row}. See {page}.",
        "fields": [_field(column) for column in table.schema.columns],
        "fieldsMatch": "superset",
        "missingValues": [""],
    }


def _field(column: Column) -> dict[str, Any]:
    field: dict[str, Any] = {
        "name": column.name,
        "type": _TYPES[column.kind],
        "title": column.name.replace("_", " "),
        "description": column.meaning + (f" [{column.unit}]" if column.unit else ""),
        "example": column.example,
    }
    if column.kind == "instant":
        field["format"] = "any"
    constraints: dict[str, Any] = {}
    if column.required:
        constraints["required"] = True
    if column.low is not None:
        constraints["minimum"] = column.low
    if column.high is not None:
        constraints["maximum"] = column.high
    if constraints:
        field["constraints"] = constraints
    return field
