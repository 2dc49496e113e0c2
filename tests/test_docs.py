"""Everything a user can name is documented, and what the documents name exists."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

from forecast import docs, features
from forecast.cli.app import app
from forecast.config import RunConfig
from forecast.features.base import Evidence, Source, sample_rows
from forecast.grid import grid_from_frame, make_grid
from forecast.serving.app import create_app
from forecast.settings import Settings

ROOT = Path(__file__).parents[1]
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for folder in ("*.md", "docs/**/*.md", "benchmarks/**/*.md", "models/*.md")
    for path in sorted(ROOT.glob(folder))
    if "work" not in path.parts[len(ROOT.parts) :]
}


def without_code(text: str) -> str:
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


# What users can name.


@pytest.mark.parametrize("source", features.discover(), ids=lambda source: source.name)
def test_every_source_and_column_is_documented(source: Source) -> None:
    page = PAGES["docs/features.md"]
    assert f"## {source.name}\n" in page
    missing = [f.name for f in source.features if f"| `{source.name}_{f.name}` |" not in page]
    assert missing == []


def keys(model: type[BaseModel]) -> Iterator[str]:
    """Keys of a model and of the models within it."""
    for name, info in model.model_fields.items():
        yield name
        for part in re.findall(r"forecast\.config\.(\w+)", str(info.annotation)):
            inner = getattr(importlib.import_module("forecast.config"), part)
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from keys(inner)


def test_every_key_of_the_configuration_is_documented() -> None:
    found = set(keys(RunConfig))
    assert {"zones", "share", "publication_delay_hours", "noir", "blend"} <= found
    page = PAGES["docs/input-contract.md"]
    assert sorted(key for key in found if f"`{key}`" not in page) == []


@pytest.mark.parametrize("name", dict(docs.commands()))
def test_every_command_and_option_is_documented_with_an_example(name: str) -> None:
    command = dict(docs.commands())[name]
    page = PAGES["docs/commands.md"]
    section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    wanted = [f"`{option}`" for p in command.params for option in p.opts if option[0] == "-"]
    assert section, f"{name} has no section"
    assert [option for option in wanted if option not in section] == []
    result = CliRunner().invoke(app, [*name.split(), "--help"])
    assert result.exit_code == 0
    assert re.search(rf"Example:\s+afflux {name}\b", result.output)


def test_every_route_is_documented() -> None:
    served = create_app(Settings(ROOT, "", None))
    routes = {*served.openapi()["paths"], "/docs", "/openapi.json"}
    assert len(routes) >= 8
    assert sorted(route for route in routes if f"`{route}`" not in PAGES["docs/api.md"]) == []


def test_every_variable_of_the_environment_is_documented() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "forecast").rglob("*.py"))
    found = set(re.findall(r'"((?:AFFLUX|MLFLOW_TRACKING|OMP|OPENBLAS)_[A-Z_]+)"', code))
    assert {"AFFLUX_HOME", "MLFLOW_TRACKING_URI", "OMP_WAIT_POLICY"} <= found
    page = PAGES["docs/operations.md"]
    assert sorted(name for name in found if f"`{name}`" not in page) == []


def test_every_decision_and_page_is_in_the_index() -> None:
    index = PAGES["docs/README.md"]
    pages = [p.removeprefix("docs/") for p in PAGES if p.startswith("docs/")]
    assert [page for page in pages if page != "README.md" and f"]({page})" not in index] == []


# What the documents name.


def test_generated_pages_are_what_the_code_says(tmp_path: Path) -> None:
    assert docs.differing() == [], "run make docs"
    (tmp_path / "docs").mkdir()
    assert docs.main(["--check"], tmp_path) == 1
    assert list((tmp_path / "docs").iterdir()) == []
    assert docs.main([], tmp_path) == 0
    assert docs.main(["--check"], tmp_path) == 0
    (tmp_path / "docs/features.md").write_text("old", encoding="utf-8")
    assert docs.differing(tmp_path) == ["docs/features.md"]
    assert docs.main(["--fix"], tmp_path) == 2
    assert docs.main([], tmp_path / "docs") == 2


def anchors(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", without_code(text), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES)
def test_relative_links_lead_somewhere(page: str) -> None:
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(PAGES[page])):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = ((ROOT / page).parent / path).resolve() if path else ROOT / page
        found = target.exists()
        if found and anchor:
            found = anchor in anchors(target.read_text(encoding="utf-8"))
        if not found:
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize("page", PAGES)
def test_names_in_documents_exist(page: str) -> None:
    """Files and objects of the code that a page names in backticks."""
    text = without_code(PAGES[page])
    paths = re.findall(r"`((?:forecast|tests|configs|docs|models|benchmarks)/[\w./-]+\.\w+)`", text)
    made_later = {"forecast/features/beach.py", "forecast/ingest/providers/beach_counter.py"}
    assert [p for p in paths if p not in made_later and not (ROOT / p).exists()] == []
    for name in re.findall(r"`(forecast(?:\.\w+)+)`", text):
        assert resolved(name) is not None, name


def resolved(name: str) -> object:
    """The module, class, function or method of that name; raises if there is none."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            found = getattr(found, part)
        return found
    raise ModuleNotFoundError(name)


def shell_lines() -> Iterator[tuple[str, str]]:
    for page, text in PAGES.items():
        for block in re.findall(r"```(?:sh|crontab)\n(.*?)```", text, flags=re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                yield page, line.partition("  #")[0]


def test_commands_in_documents_exist() -> None:
    known = dict(docs.commands())
    inner = {name.split()[0] for name in known if " " in name}
    assert {"demo", "lake compact"} <= known.keys()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    seen = 0
    for page, line in shell_lines():
        for text in re.findall(r"(?<![\w./-])afflux ([a-z][^&;>|]*)", line):
            words = text.split()
            name = " ".join(words[:2]) if words[0] in inner else words[0]
            assert name in known, f"{page}: afflux {text}"
            options = {
                option for p in known[name].params for option in (*p.opts, *p.secondary_opts)
            }
            for word in words:
                option = word.partition("=")[0]
                assert not option.startswith("--") or option in options, f"{page}: afflux {text}"
            seen += 1
        for target in re.findall(r"^make ([a-z]+)", line):
            assert target in targets, f"{page}: make {target}"
            seen += 1
    assert seen > 30


def test_the_readme_opens_in_french_and_labels_what_is_simulated() -> None:
    opening = PAGES["README.md"].split("\n\n")[1].splitlines()
    assert len(opening) == 5 and opening[0].startswith("Afflux prévoit")
    assert "données simulées" in opening[4]
    picture = ROOT / "docs/images/demo-fan.png"
    assert picture.read_bytes()[:4] == b"\x89PNG" and picture.stat().st_size <= 200_000


# The example of docs/adding-a-source.md is a source.


@pytest.fixture
def beach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    """The page's module, in a folder that the package looks into beside its own."""
    blocks = re.findall(r"```python\n(.*?)```", PAGES["docs/adding-a-source.md"], flags=re.DOTALL)
    (code,) = [block for block in blocks if "SOURCE = " in block]
    (tmp_path / "beach.py").write_text(code, encoding="utf-8")
    monkeypatch.setattr(features, "__path__", [*features.__path__, str(tmp_path)])
    (found,) = [source for source in features.discover() if source.name == "beach"]
    yield found
    del sys.modules["forecast.features.beach"]


def territory(coast: bool = True):
    zone = {"id": "zone", "name": "Zone", "population": 1000, "latitude": 49.4, "longitude": 0.1}
    return RunConfig(id="essai", name="Essai", zones=[zone | {"coast": coast}]).territory()


def test_the_example_source_is_discovered_and_answers(beach: Source) -> None:
    origins = pd.date_range("2025-01-04T06:00Z", periods=9)
    grid = make_grid(origins, ["zone"], range(3), "Europe/Paris")
    matrix = features.build(grid, Evidence(beach.sample(), territory()))
    assert "beach_warm_sun" in matrix.columns
    frame = matrix.frame().set_index(["origin", "target_date"])
    rows = beach.sample()
    for (origin, target), found in frame["beach_warm_sun"].items():
        known = rows[(rows["available_at"] <= origin) & (rows["date"] == target)]
        value = known.set_index("variable")["value"]
        wanted = value["sunshine"] * max(value["temperature_max"] - 18, 0) if len(value) else np.nan
        assert np.isclose(found, wanted, equal_nan=True)
    assert frame["beach_sun"].notna().any() and frame["beach_sun"].isna().any()


def test_the_example_source_keeps_the_contract(beach: Source) -> None:
    origin = pd.Timestamp("2025-01-10T06:00Z")
    grid = make_grid([origin], ["zone"], range(5), "Europe/Paris")
    rows = beach.sample()
    late = rows.assign(value=rows["value"].where(rows["available_at"] <= origin, 99.0))
    assert (late["value"] == 99).any()

    def answer(table: pd.DataFrame, coast: bool = True) -> np.ndarray:
        return features.build(grid, Evidence(table, territory(coast)), [beach]).values

    assert np.isfinite(answer(rows)).any()
    np.testing.assert_array_equal(answer(late), answer(rows))
    assert np.isnan(answer(rows, coast=False)).all()
    asked = grid.frame().assign(zone_id="elsewhere")
    unknown = grid_from_frame(asked, ["zone"], "Europe/Paris")
    found = features.build(unknown, Evidence(rows, territory()), [beach])
    assert np.isnan(found.values).all()
    assert np.isnan(answer(sample_rows("influx", "influx", [1.0]))).all()
    assert all(f.unit and f.meaning for f in beach.features)
