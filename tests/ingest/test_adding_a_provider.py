"""The provider of docs/adding-a-source.md is a provider: fetched from a server into a lake."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.errors import ProviderError
from forecast.ingest import providers

PAGE = Path(__file__).parents[2] / "docs" / "adding-a-source.md"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """The page's module, in a folder that the package looks into beside its own."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    (code,) = [block for block in blocks if "PROVIDER = " in block]
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "beach_counter.py").write_text(code, encoding="utf-8")
    monkeypatch.setattr(providers, "__path__", [*providers.__path__, str(tmp_path / "more")])
    assert "beach-counter" in providers.discover()
    yield sys.modules["forecast.ingest.providers.beach_counter"]
    del sys.modules["forecast.ingest.providers.beach_counter"]


def serve(replay, *days: object) -> None:
    def answer(asked):
        wanted = [
            d
            for d in days
            if not isinstance(d, dict) or asked.query["from"] <= d["day"] <= asked.query["to"]
        ]
        return replay.Answer(body=json.dumps({"days": wanted}))

    replay.routes["/days"] = answer


def entry(day: str, passages: object, insee: str = "14220") -> dict[str, object]:
    return {"day": day, "counter": "planches", "insee": insee, "passages": passages}


def test_rows_end_in_a_real_lake_and_months_are_not_asked_twice(
    module, estuary, replay, monkeypatch
) -> None:
    monkeypatch.setenv("PLANCHES_KEY", "sesame-42")
    serve(replay, entry("2026-06-30", 8421), entry("2026-07-01", 0), entry("2026-07-02", None),
          entry("2026-07-02", 5, "27701"), "ouvert")  # fmt: skip
    table = {"kind": "beach-counter", "base_url": replay.url, "key_env": "PLANCHES_KEY"}
    done = estuary.fetch("2026-07-20T09:00Z", "2026-06-01", **table)
    assert (done.errors, done.pieces, done.new) == ([], 2, 2)
    assert estuary.days("mobility", "count") == {
        ("01234", "planches", "2026-06-30"): 8421.0,
        ("01234", "planches", "2026-07-01"): 0.0,
    }
    assert done.unplaced == {"27701": 1}
    assert "days, entry 2: ouvert" in done.refused[0] and "sesame-42" not in str(done)
    assert replay.requests[0].query["key"] == "sesame-42"
    again = estuary.fetch("2026-07-20T10:00Z", "2026-06-01", **table)
    assert (again.skipped, again.pieces, again.new) == (1, 1, 0)
    assert [asked.query["from"] for asked in replay.requests] == [
        "2026-06-01", "2026-07-01", "2026-07-01",
    ]  # fmt: skip


def test_an_answer_that_is_something_else_stores_nothing(module, estuary, replay) -> None:
    replay.routes["/days"] = [replay.Answer(body="[]")]
    done = estuary.fetch(
        "2026-07-20T09:00Z", "2026-07-01", kind="beach-counter", base_url=replay.url
    )
    assert done.exit_code == 1 and "expected an object with a list named days" in done.errors[0]
    assert estuary.lake.read(sources=["mobility"]).empty


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.just("2026-07-14"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=5,
)
FIELDS = st.dictionaries(st.sampled_from(["day", "counter", "insee", "passages"]), JSON)


def test_any_answer_is_read_or_refused(module) -> None:
    @settings(max_examples=100, deadline=None)
    @given(JSON | st.fixed_dictionaries({"days": st.lists(FIELDS | JSON, max_size=3)}))
    def read(content: object) -> None:
        try:
            rows, refused = module.parse_days(content, "here")
        except ProviderError as error:
            assert "here: expected" in str(error)
        else:
            assert len(rows) + len(refused) == len(content["days"])

    read()
