"""The page about providers says all there is to say of each, with examples that are valid."""

from __future__ import annotations

import csv
import io
import tomllib
from pathlib import Path

import pytest

from forecast.ingest.configured import configured
from forecast.ingest.contract import CONTRACT
from forecast.ingest.docs import example
from forecast.ingest.documents import Document
from forecast.ingest.place import Place
from forecast.ingest.provider import Options
from forecast.ingest.provider_docs import examples, sources_page
from forecast.ingest.providers import discover
from forecast.ingest.report import Findings
from forecast.ingest.tabular import read_table
from forecast.ingest.tickets import TICKETS, tickets

ESTUARY = (Path(__file__).parents[2] / "configs" / "estuaire.toml").read_text(encoding="utf-8")
PAGE = sources_page(discover(), ESTUARY)


@pytest.mark.parametrize("kind", discover())
def test_every_kind_is_described_with_its_terms_and_keys(kind: str) -> None:
    provider = discover()[kind]
    section = PAGE.partition(f"\n## {kind}\n")[2].partition("\n## ")[0]
    about = provider.about
    for text in (about.title, about.homepage, about.licence, about.terms, about.verified):
        assert text and text in section
    assert about.attribution in section and set(about.sources) <= set(CONTRACT)
    keys = set(provider.options.model_fields) - set(Options.model_fields)
    assert [key for key in sorted(keys) if f"| `{key}` |" not in section] == []
    assert "|  |\n" not in section, "a key without a meaning"


@pytest.mark.parametrize("kind", discover())
def test_every_kind_has_an_example_that_is_valid(estuary, kind: str) -> None:
    table = examples(ESTUARY)[kind]
    (one,) = configured(estuary.config(**tomllib.loads(table)["providers"]))
    assert one.provider.kind == kind
    assert f"```toml\n{table}\n```" in PAGE


def test_the_published_layout_of_tickets_is_the_one_that_is_read() -> None:
    text = example(TICKETS)
    (row,) = csv.DictReader(io.StringIO(text))
    findings = Findings()
    typed = read_table(Document("t.csv", text.encode()), TICKETS, Place.of(None), findings)
    (read,) = tickets(typed, {}, {}, 30_000, findings).to_dict("records")
    assert findings.report().problems == ()
    assert (read["ticket"], read["stream"], read["tonnes"]) == (row["ticket"], "OMR", 8.42)
