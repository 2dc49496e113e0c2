"""The arrows of the house: who may import whom, read from the syntax tree of every module.

The table is the drawing of ARCHITECTURE.md in full. A module that is not in it has no place yet:
give it one, as low as it can stand.
"""

from __future__ import annotations

import ast
import os
import socket
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "forecast"

# Module (the first pattern that fits): what it may import of the package, whose own name is `.`.
ARROWS = {
    "errors territory french levels cells tides outliers": "",
    "bands": "cells",
    "calibration": "bands cells",
    "decision": "errors",
    "tracking": "decision",
    "tables feasts bundle": "errors territory",
    "school almanac": "errors territory feasts school",
    "analogue daily": "territory almanac",
    "grid": "tables",
    "matrix": "grid",
    "config_problems": "",
    "config": "errors territory config_problems",
    "settings": "errors config",
    "freshness": "config",
    "source_report": "config freshness lake",
    "came_true": "errors config lake tables track_record",
    # Sources: the base, the as-of helpers and the ground floor. Never one another.
    "features": "features.base features.kernels features.kernels_days drift grid matrix",
    "features.updates": "grid",
    "features.kernels*": "features.updates features.kernels* grid",
    "features.base": "features.updates grid territory",
    "features.*": "features.base features.kernels* features.updates "
    "tables errors grid territory almanac analogue daily tides",
    "truth": "features.base grid",
    # The lake, and the room that fills it.
    "lake lake_*": "errors tables grid lake_*",
    # The one client of providers; the wire says who asks, with the package's version.
    "ingest.wire": "ingest.answers . errors",
    "ingest.standing": "ingest.* config errors source_report",
    "ingest ingest.*": "ingest.* lake tables config config_problems errors grid",
    # Models.
    "drift": "grid outliers",
    "calendar_terms": "daily",
    "linear": "errors daily drift calendar_terms matrix",
    "cross_fitting": "daily linear matrix",
    "blending": "cells",
    "sky": "matrix",
    "catch_up": "daily matrix",
    "standstill": "matrix truth",
    "fitting": "cells daily grid linear matrix truth",
    "trees": "errors",
    "recursive": "daily matrix outliers trees",
    "target": "errors catch_up cross_fitting daily fitting linear matrix recursive sky trees truth",
    "model_files": "errors bundle",
    "model": "errors model_files sky blending bands calibration catch_up cells daily fitting "
    "linear matrix recursive standstill target trees truth",
    "champion": "errors bundle",
    "pyfunc": "errors tables fitting loading model",
    "loading": "errors fitting model",
    "runs": "errors tracking",
    "registry": "errors bundle champion decision loading runs tracking",
    "usual": "territory analogue grid standstill truth",
    "shapley": "features.kernels",
    "explanation": "tables almanac blending daily grid fitting linear shapley sky matrix model "
    "usual",
    "circumstances": "territory feasts school matrix",
    "sentence": "french circumstances",
    "level_climatology": "grid levels truth",
    "predict": "errors tables config territory daily grid matrix levels "
    "level_climatology freshness truth features features.base model usual explanation "
    "circumstances sentence",
    "track_record": "errors tables config grid levels features.base truth lake",
    "remembering": "daily linear matrix model recursive",
    "scenario": "errors config features features.base grid matrix model predict remembering usual",
    # What others program against a server with.
    "client": "errors",
    # The two rooms that never meet.
    "training training.*": "training.* . errors tables config territory analogue daily grid matrix "
    "levels level_climatology cells bands calibration blending truth linear fitting features "
    "features.base bundle model decision registry tracking track_record freshness",
    # Processes beside the server, and what the publishing process sends.
    "serving.scenario_worker": "serving.work serving.changes serving.records errors french tables "
    "config settings lake model scenario",
    "serving.upload_worker": "serving.work errors settings lake ingest.folder ingest.report",
    "serving.notices": "serving.hook_store serving.hook_urls serving.listing serving.options "
    "serving.reader . errors settings",
    "serving.publish": "serving.pages.files serving.publication serving.answer_files "
    "serving.records . bundle config settings champion lake model predict source_report "
    "track_record truth",
    "serving.publication serving.placing serving.answer_files serving.records serving.about "
    "serving.history serving.scoreboard serving.totals serving.model_card": "serving.about "
    "serving.answer_files serving.archive serving.catalogue serving.changes serving.export_* "
    "serving.history serving.listing serving.model_card serving.placing serving.reader "
    "serving.records serving.scoreboard serving.small_counts serving.totals errors tables config "
    "grid levels cells freshness track_record truth",
    # Pages are written at publication, from its answers.
    "serving.pages serving.pages.*": "serving.pages.* serving.answer_files "
    "serving.headers freshness french",
    # What the serving process shares with them: the standard library and the words for people.
    "serving.listing serving.small_counts": "",
    "serving.reader serving.archive serving.soundness": "errors serving.listing serving.reader "
    "serving.soundness serving.headers",
    "serving.changes serving.export_* serving.catalogue": "french serving.listing serving.reader "
    "serving.export_atom",
    "serving.report_fr": "serving.problems_fr serving.report_advice_fr serving.report_texts_fr "
    "french",
    "serving serving.*": "serving.answers serving.deps serving.docs_page serving.problems "
    "serving.reader serving.routes serving.schemas serving.service serving.headers "
    "serving.archive serving.asking serving.changes serving.export_* serving.formats "
    "serving.listing serving.routes_* serving.schemas_* "
    "serving.options serving.limits serving.metrics serving.access_log serving.keys "
    "serving.key_store serving.front serving.replies serving.negotiation serving.handlers "
    "serving.counters serving.parts serving.application "
    "serving.problems_fr serving.details_fr serving.report_fr serving.soundness "
    "serving.actions serving.action_schemas serving.webhooks "
    "serving.hook_store serving.hook_urls serving.worker "
    ". errors settings",
    # The simulated estuary writes files; it knows neither the lake nor the model.
    "demo demo_*": "demo_* config territory feasts almanac daily tides grid",
    "docs": "cli.app features ingest.docs ingest.provider_docs ingest.providers",
    "cli cli.*": "*",
    ".": "",
}

# Library: the only modules that may import it.
HOMES = {
    "lightgbm": "trees shapley",
    "mlflow": "runs",
    "deltalake": "lake_table",
    "sklearn": "linear sky",
    "numba": "features.kernels*",
    "holidays": "feasts school",
    "matplotlib": "training.figures",
    "jinja2": "serving.pages.rendering",
    "fpdf": "serving.pages.pdf",
    "typer rich": "cli cli.* docs",
    "fastapi starlette uvicorn": "serving.*",
    "prometheus_client": "serving.metrics",
    "brotli": "serving.publication",
    "httpx2": "ingest.wire client serving.notices",
    "tenacity": "ingest.http",
    "shapely": "ingest.places",
    "defusedxml": "ingest.safe_xml",
    "openpyxl": "ingest.spreadsheets",
    "icalendar": "ingest.ical",
    "pydantic pydantic_core": "config config_problems serving.* ingest.docs ingest.provider_docs "
    # The keys of providers: their common ones, those of a family, those of a kind.
    "ingest.provider ingest.configured ingest.providers.* ingest.documents ingest.happenings "
    "ingest.mapping ingest.polling ingest.car_parks ingest.keyed ingest.open_meteo_*",
}

CLOCKS = {"now", "utcnow", "today", "time", "time_ns", "localtime", "gmtime"}
CLOCK_OWNERS = {"datetime", "date", "time", "Timestamp"}
MAY_READ_THE_CLOCK = "cli cli.* serving.app"

FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix("__init__").rstrip(".")
    or ".": path
    for path in sorted(ROOT.rglob("*.py"))
}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in FILES.items()}


def fits(name: str, patterns: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns.split())


def imported(tree: ast.AST) -> set[str]:
    """Full names of everything imported anywhere in a module, also within functions."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "write imports in full"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def own_modules(tree: ast.AST) -> set[str]:
    """Modules of the package among the imports: `forecast.grid.Grid` is `grid`."""
    found = set()
    for name in imported(tree):
        parts = name.split(".")
        if parts[0] == "forecast":
            tails = (".".join(parts[1:end]) for end in range(len(parts), 1, -1))
            found.add(next((tail for tail in tails if tail in FILES), "."))
    return found


@pytest.mark.parametrize("name", FILES)
def test_a_module_imports_only_what_its_place_allows(name: str) -> None:
    allowed = next((may for who, may in ARROWS.items() if fits(name, who)), None)
    assert allowed is not None, f"{name} has no place in the table of arrows"
    wrong = sorted(module for module in own_modules(TREES[name]) if not fits(module, allowed))
    assert wrong == [], f"{name} imports {wrong}; allowed: {allowed or 'none'}"


def test_every_arrow_has_a_module() -> None:
    """A pattern that fits nothing allows what nobody needs any more."""
    patterns = [p for row in [*ARROWS, *HOMES.values()] for p in row.split()]
    assert [p for p in patterns if not any(fits(name, p) for name in FILES)] == []


@pytest.mark.parametrize("libraries", HOMES)
def test_a_library_has_one_home(libraries: str) -> None:
    users = {
        name
        for name, tree in TREES.items()
        if {found.split(".")[0] for found in imported(tree)} & set(libraries.split())
    }
    assert users, f"nothing imports {libraries}"
    assert sorted(name for name in users if not fits(name, HOMES[libraries])) == []


def test_mlflow_is_imported_when_it_is_needed() -> None:
    top = ast.Module(
        [n for n in TREES["runs"].body if isinstance(n, ast.Import | ast.ImportFrom)], []
    )
    assert not any(name.split(".")[0] == "mlflow" for name in imported(top))


def clock_reads(tree: ast.AST) -> list[str]:
    """Calls that read the wall clock; a monotonic clock only measures."""
    bare = {name.split(".")[1] for name in imported(tree) if name.startswith("time.")} & CLOCKS
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        call = node.func
        if isinstance(call, ast.Attribute) and call.attr in CLOCKS:
            owner = call.value.attr if isinstance(call.value, ast.Attribute) else None
            owner = call.value.id if isinstance(call.value, ast.Name) else owner
            if owner in CLOCK_OWNERS:
                found.append(f"line {node.lineno}: {owner}.{call.attr}")
        elif isinstance(call, ast.Name) and call.id in bare:
            found.append(f"line {node.lineno}: {call.id}")
    return found


@pytest.mark.parametrize("name", FILES)
def test_the_clock_is_read_at_the_door(name: str) -> None:
    assert fits(name, MAY_READ_THE_CLOCK) or clock_reads(TREES[name]) == []


@pytest.mark.parametrize("code", ["import time\ntime.time()", "from time import time\ntime()",
                                  "import datetime\ndatetime.datetime.now()", "pd.Timestamp.now()",
                                  "date.today()", "datetime.utcnow()"])  # fmt: skip
def test_the_search_for_clocks_finds_them(code: str) -> None:
    assert clock_reads(ast.parse(code))


@pytest.mark.parametrize("name", FILES)
def test_a_module_is_small_and_silent(name: str) -> None:
    lines = FILES[name].read_text(encoding="utf-8").count("\n")
    assert lines <= 250
    calls = [n.func for n in ast.walk(TREES[name]) if isinstance(n, ast.Call)]
    assert not any(isinstance(call, ast.Name) and call.id == "print" for call in calls)


IMPORT_ALL = """
import importlib, os, sys
environment, folder, done = dict(os.environ), os.getcwd(), []
def watch(event, arguments):
    if event == "open" and isinstance(arguments[2], int):
        # Numba tries whether it may write beside the byte code; it keeps nothing.
        if arguments[2] & (os.O_WRONLY | os.O_RDWR) and "__pycache__" not in str(arguments[0]):
            done.append((event, arguments[0]))
    elif event in ("os.remove", "os.rename", "socket.connect", "socket.bind", "subprocess.Popen"):
        done.append((event, arguments[0]))
sys.addaudithook(watch)
for name in sys.argv[1:]:
    importlib.import_module(name)
# scikit-learn sets two variables of the OpenMP runtime, KMP_*, when it is imported.
changed = {k for k in {*environment, *os.environ} if environment.get(k) != os.environ.get(k)}
assert not [k for k in changed if not k.startswith("KMP_")], changed
assert os.getcwd() == folder and not done, done
"""


def test_importing_has_no_side_effect(tmp_path: Path) -> None:
    names = ["forecast" if name == "." else f"forecast.{name}" for name in FILES]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AFFLUX", "MLFLOW"))}
    done = subprocess.run(
        [sys.executable, "-B", "-W", "error", "-c", IMPORT_ALL, *names],
        cwd=tmp_path,
        env=environment | {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_the_network_is_out_of_reach() -> None:
    """192.0.2.0/24 is kept for documents: nothing answers there (RFC 5737)."""
    with socket.socket() as free, pytest.raises(RuntimeError, match="reached for the network"):
        free.connect(("192.0.2.1", 80))
    with pytest.raises(socket.gaierror, match="no name is resolved"):
        socket.getaddrinfo("example.org", 80)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        socket.create_connection(listening.getsockname()).close()
