"""The published contract is the one in force, and frictionless agrees with it."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest

from forecast.config import DEFAULT_DELAYS_HOURS, Levels, Origin, RunConfig, Training, Zone
from forecast.ingest.contract import CONTRACT, SourceTable
from forecast.ingest.docs import example, generated_docs, meaning
from forecast.ingest.kinds import KINDS
from forecast.ingest.prose import TERRITORY_EXAMPLE
from forecast.ingest.table_schema import table_schema

ROOT = Path(__file__).parents[2]

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import frictionless


@pytest.mark.parametrize("path", list(generated_docs()))
def test_docs_are_what_the_code_generates(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == generated_docs()[path], "run make docs"


def test_nothing_else_is_published() -> None:
    published = {f"docs/schemas/{p.name}" for p in (ROOT / "docs/schemas").iterdir()}
    assert published == {path for path in generated_docs() if path.startswith("docs/schemas/")}


def test_the_contract_covers_the_sources_of_the_configuration() -> None:
    assert set(CONTRACT) == set(DEFAULT_DELAYS_HOURS)


@pytest.mark.parametrize("model", [RunConfig, Zone, Origin, Levels, Training])
def test_every_key_of_territory_toml_is_explained(model) -> None:
    assert [key for key in model.model_fields if not meaning(model, key)] == []


def test_every_kind_of_problem_is_documented() -> None:
    text = generated_docs()["docs/input-contract.md"]
    assert [kind for kind in KINDS if f"| `{kind}` |" not in text] == []


def test_the_example_territory_is_one(tmp_path: Path) -> None:
    from forecast.config import read_config

    path = tmp_path / "territory.toml"
    path.write_text(TERRITORY_EXAMPLE, encoding="utf-8")
    config = read_config(path)
    assert config.delay_hours("waste") == 96
    assert [market.share for market in config.origin_markets] == [0.7, 0.3]


def valid(path: Path, table: SourceTable) -> tuple[bool, set[str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        schema = frictionless.Schema.from_descriptor(json.loads(json.dumps(table_schema(table))))
        with frictionless.system.use_context(trusted=True):
            report = frictionless.validate(frictionless.Resource(path=str(path), schema=schema))
    return report.valid, {error.type for task in report.tasks for error in task.errors}


@pytest.mark.parametrize("table", CONTRACT.values(), ids=list(CONTRACT))
def test_frictionless_accepts_good_files_and_refuses_bad_ones(
    table: SourceTable, tmp_path: Path
) -> None:
    columns = table.schema.columns
    good = tmp_path / "good.csv"
    good.write_text(example(table), encoding="utf-8")
    assert valid(good, table) == (True, set())

    needed = [c for c in columns if c.required or c.name == table.variables[0]]
    short = tmp_path / "short.csv"
    header = ",".join(c.name for c in needed)
    short.write_text(f"{header}\n{','.join(c.example for c in needed)}\n", encoding="utf-8")
    assert valid(short, table) == (True, set())

    bad = tmp_path / "bad.csv"
    cells = {c.name: c.example for c in columns}
    cells |= {"zone_id": "", "date": "14 juillet", table.variables[0]: "-1000"}
    bad.write_text(f"{','.join(cells)}\n{','.join(cells.values())}\n", encoding="utf-8")
    assert valid(bad, table) == (False, {"constraint-error", "type-error"})

    lacking = tmp_path / "lacking.csv"
    lacking.write_text("zone_id\n200066827\n", encoding="utf-8")
    assert valid(lacking, table) == (False, {"missing-label"})
