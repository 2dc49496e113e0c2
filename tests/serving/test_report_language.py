"""What the check of a file says, in French: every sentence it can say, and files that provoke it.

The sentences are read from the syntax trees of the modules that check a file, so that one that is
added there without its French fails here.
"""

from __future__ import annotations

import ast
import codecs
import itertools
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import forecast.ingest
from forecast.config import RunConfig
from forecast.ingest import check_folder
from forecast.ingest.contract import CONTRACT
from forecast.ingest.kinds import KINDS
from forecast.serving import report_fr
from forecast.serving.problems_fr import translated
from forecast.serving.report_advice_fr import ADVICE, EXPECTED, UNITS
from forecast.serving.report_fr import Part, in_french
from forecast.serving.report_texts_fr import WHAT

NOW = pd.Timestamp("2026-09-01T12:00Z")
TEXTS = {"what": WHAT, "expected": EXPECTED, "advice": ADVICE}
ZONES = [("01234", "Honfleur", 20000), ("200084952", "Le Havre", 260000)]
ZONES += [(f"30000000{i}", f"Commune {i}", 5000) for i in range(6)]
CONFIG = RunConfig(
    id="essai",
    name="Essai",
    zones=[
        {"id": zone, "name": name, "population": population, "latitude": 49.4, "longitude": 0.2}
        for zone, name, population in ZONES
    ],
)
DAYS = pd.date_range("2026-01-01", periods=200)


def found(folder: Path, source: str, content: str | bytes) -> dict[str, Any]:
    """The report of one file, as an upload gets it."""
    data = content if isinstance(content, bytes) else content.encode()
    (folder / f"{source}.csv").write_bytes(data)
    return check_folder(folder, CONFIG, now=NOW).report.as_dict(limit=200)


def influx(*rows: str) -> str:
    return "zone_id;date;influx\n" + "".join(f"{row}\n" for row in rows)


def damaged(change: slice, value: float) -> str:
    """Three lively series of counts, one of them damaged."""
    mean = 1000 + 300 * (DAYS.day_of_week >= 5)
    random = np.random.default_rng(0)
    lines = []
    for site in ("a", "b", "c"):
        values = np.round(mean * random.normal(1, 0.08, len(DAYS)))
        if site == "b":
            values[change] = value
        lines += [
            f"01234;{site};{day:%Y-%m-%d};{count:g}\n"
            for day, count in zip(DAYS, values, strict=True)
            if count == count
        ]
    return "zone_id;site_id;date;count\n" + "".join(lines)


FORECAST = "zone_id;issued_at;date;sunshine;available_at\n01234;"
EVENT = "zone_id;event;date;end_date;attendance\n01234;"
PARKING = "zone_id;site_id;date;occupancy\n01234;"
WEATHER = "zone_id;date;temperature_max;available_at\n01234;"
CASES: list[tuple[str, str, str | bytes]] = [
    ("unreadable", "influx", ""),
    ("short_history", "influx", influx()),
    ("encoding", "influx", "a\nFête\nÉté ".encode() + b"\xff"),
    ("encoding", "influx", "zone_id;date".encode("utf-16-le")),
    ("encoding", "influx", b"a\n\x81\x8d\xe9"),
    ("encoding", "influx", codecs.BOM_UTF8 + b"\xe9"),
    ("delimiter", "influx", "zone_id;a,date\n"),
    ("duplicate_column", "influx", "zone_id;date;influx;INFLUX\n"),
    ("missing_column", "influx", "zone_id;date;infux;colour\n"),
    ("missing_column", "influx", ";;\nx"),
    ("missing_column", "weather", "zone_id;date\n01234;2026-01-01\n"),
    ("month_first", "influx", influx("01234;01/02/2026;5", "01234;01/13/2026;5")),
    ("truncated", "influx", influx("01234;2026-01-01;5") + "01234;2026-0"),
    ("unfinished_line", "influx", influx("01234;2026-01-01;5")[:-1]),
    ("nul_bytes", "influx", influx("01234;2026-01-01;5\0")),
    ("ragged_row", "influx", influx("01234;2026-01-01;5;8", "01234;2026-01-02", "01234")),
    ("quotes", "influx", influx('01234;"2026-01-01;5', '01234;"a"x;5')),
    *[
        ("unknown_zone", "influx", influx(f"{zone};2026-01-01;5"))
        for zone in (
            "1234", "200084952.0", "2,00E+08", "200 084 952", "LE HAVRE", "200084953", "xyz",
        )
    ],
    ("unknown_zone", "influx", influx(*(f"z{i};2026-01-01;5" for i in range(9)))),
    ("empty_cell", "influx", influx(";;5")),
    ("empty_cell", "parking", PARKING + ";;0,5\n"),
    ("empty_cell", "waste", "zone_id;date;tonnage\n;;1\n"),
    ("empty_cell", "weather_forecast", "zone_id;issued_at;date;sunshine\n;;;1\n"),
    ("empty_cell", "events", "zone_id;event;date;attendance\n;;;1\n"),
    *[
        (kind, "influx", influx(f"01234;{day};5", "01234;31/01/2026;5"))
        for kind, day in (
            ("not_a_date", "hier"), ("not_a_date", "46023"), ("not_a_date", "2026-01-01 10:00"),
            ("not_a_date", "31/02/2026"), ("ambiguous_date", "01/02/26"),
            ("ambiguous_date", "01/13/2026"),
        )
    ],
    ("ambiguous_date", "influx", influx("01234;01/13/2026;5", "01234;13/01/2026;5",
                                        "01234;02/01/2026;5")),
    *[
        (kind, "weather", WEATHER + f"2026-01-01;5;{at}\n")
        for kind, at in (
            ("not_an_instant", "tard"), ("not_an_instant", "2026-03-29 02:30"),
            ("ambiguous_date", "2025-10-26 02:30"), ("ambiguous_date", "2026-01-05"),
            ("not_an_instant", "46023"), ("month_first", "01/13/2026 10:00"),
            ("available_too_early", "2026-01-01T22:59Z"),
            ("available_in_future", "2026-09-01T12:01Z"),
        )
    ],
    *[
        ("not_a_number", "influx", influx(f"01234;2026-01-01;{cell}"))
        for cell in ("beaucoup", "85 %", "n/a", "1 23")
    ],
    ("ambiguous_number", "influx", influx("01234;2026-01-01;1,234")),
    ("ambiguous_number", "influx", influx("01234;2026-01-01;1.234")),
    ("ambiguous_number", "influx", influx("01234;2026-01-01;1,5", "01234;2026-01-02;1.5")),
    ("out_of_bounds", "influx", influx("01234;2026-01-01;-1")),
    ("out_of_bounds", "mobility", "zone_id;site_id;date;count\n01234;P;2026-01-01;-1\n"),
    ("out_of_bounds", "parking", PARKING + "P;2026-01-01;85\n"),
    ("out_of_bounds", "parking",
     PARKING.replace("occupancy\n01234;", "occupancy;capacity\n") + "01234;P;2026-01-01;;-5\n"),
    ("out_of_bounds", "waste", "zone_id;date;tonnage\n01234;2026-01-01;430000\n"),
    ("out_of_bounds", "weather",
     "zone_id;date;temperature_max;precipitation;sunshine;wind_gust;wave_height\n"
     "01234;2026-01-01;290;-1;-1;-1;-1\n"),
    ("out_of_bounds", "events", EVENT + "A;2026-01-01;;-5\n"),
    ("date_in_future", "influx", influx("01234;2026-09-01;5")),
    ("not_a_date", "events", EVENT + "A;2026-01-01;2999-01-01;5\n"),
    ("forecast_of_past", "weather_forecast", FORECAST + "2026-01-02T00:00Z;2026-01-01;5;\n"),
    ("available_in_future", "weather_forecast", FORECAST + "2026-09-02T00:00Z;2026-09-03;5;\n"),
    ("available_too_early", "weather_forecast",
     FORECAST + "2026-01-02T00:00Z;2026-01-03;5;2026-01-01T00:00Z\n"),
    ("end_before_start", "events", EVENT + "A;2026-01-02;2026-01-01;5\n"),
    ("end_before_start", "events", EVENT + "A;2026-01-02;2028-01-01;5\n"),
    ("conflicting_rows", "influx", influx("01234;2026-01-01;5", "01234;2026-01-01;6,5")),
    ("unknown_column", "influx", "zone_id;date;influx;zonne;colour\n01234;2026-01-01;5;;\n"),
    ("duplicate_row", "influx", influx("01234;2026-01-01;5", "01234;2026-01-01;5")),
    ("zone_without_rows", "influx", influx("01234;2026-01-01;5")),
    ("zone_without_rows", "influx", influx(*(f"{z};2026-01-01;5" for z, *_ in ZONES[:-1]))),
    ("unit", "waste", "zone_id;date;tonnage\n"
     + "".join(f"01234;{day:%Y-%m-%d};{16000 + day.day}\n" for day in DAYS)),
    ("flat_line", "mobility", damaged(slice(50, 57), 812)),
    ("zeros", "mobility", damaged(slice(50, 60), 0)),
    ("zeros", "mobility", damaged(slice(50, 51), 0)),
    ("spike", "mobility", damaged(slice(50, 51), 20_000.5)),
    ("gap", "mobility", damaged(slice(50, 60), np.nan)),
    ("stopped", "mobility", damaged(slice(100, None), np.nan)),
]  # fmt: skip
NOT_OF_A_CSV = {"territory", "no_file", "source_twice", "column_type", "unknown_file"}
"""Kinds that one CSV file, sent to a server that has its configuration, cannot provoke."""


@pytest.mark.parametrize(("kind", "source", "content"), CASES)
def test_no_english_is_left(tmp_path: Path, kind: str, source: str, content: str | bytes) -> None:
    report = found(tmp_path, source, content)
    assert kind in {problem["kind"] for problem in report["problems"]}
    french = in_french(report)
    assert {**french, "problems": []} == {**report, "problems": []}
    for mine, theirs in zip(french["problems"], report["problems"], strict=True):
        for name, texts in TEXTS.items():
            if theirs[name]:
                assert mine[name] == translated(theirs[name], texts, Part), theirs[name]
                assert mine[name] != theirs[name]
        assert mine["what"] and mine["advice"]
        assert bool(mine["expected"]) == bool(theirs["expected"])
        kept = [key for key in theirs if key not in TEXTS]
        assert [mine[key] for key in kept] == [theirs[key] for key in kept]
        typographic(f"{mine['expected']} {mine['advice']}")


def test_every_kind_that_a_csv_provokes_is_provoked() -> None:
    assert {kind for kind, *_ in CASES} == set(KINDS) - NOT_OF_A_CSV


@pytest.mark.parametrize(
    ("source", "content", "said"),
    [
        (
            "parking",
            PARKING + "P;2026-01-01;85\n",
            "Le nombre est hors des limites|de 0 à 1,2\u202f(1 vaut 100\u202f%)|Cela ressemble à "
            "un pourcentage\u202f: divisez par 100.",
        ),
        (
            "mobility",
            "zone_id;site_id;date;count\n01234;P;2026-01-01;-1\n",
            "Le nombre est hors des limites|de 0 à 10\u202f000\u202f000\u202fpassages par jour|"
            "Vérifiez le nombre et son unité.",
        ),
        (
            "influx",
            influx("1234;2026-01-01;5"),
            "Cette zone n'est pas dans le territoire||01234 (Honfleur) a perdu ses zéros de "
            "tête\u202f: mettez la colonne au format texte.",
        ),
        (
            "influx",
            influx("01234;2026-01-01;5", "01234;2026-01-01;1 234,5"),
            "Les lignes 2 et 3 se contredisent sur le même jour\u202f: 5 et 1 234,5|une ligne pour "
            "chaque jour, zone et site|Gardez la bonne\u202f; si l'une révise l'autre, donnez à "
            "chacune son available_at.",
        ),
        (
            "weather",
            "zone_id;date\n",
            "Il n'y a pas de colonne temperature_max ou temperature_min ou precipitation ou "
            "sunshine ou wind_gust ou precipitation_bathing ou sunshine_bathing ou "
            "sea_temperature ou wave_height|un en-tête avec zone_id, date|Ajoutez la colonne ou "
            "corrigez son nom\u202f; l'en-tête du fichier est\u202f: zone_id, date",
        ),
        (
            "mobility",
            damaged(slice(50, 60), np.nan),
            "01234 b\u202f: 10 jours sans donnée en 1 période, dont la plus longue du 20/02/2026 "
            "au 01/03/2026||Rien à faire si rien n'a été mesuré.",
        ),
        (
            "mobility",
            damaged(slice(50, 60), 0),
            "01234 b\u202f: zéro du 20/02/2026 au 01/03/2026, et rarement sinon||Si le capteur "
            "était en panne, laissez les cellules vides.",
        ),
    ],
)
def test_it_reads_as_french(tmp_path: Path, source: str, content: str, said: str) -> None:
    problems = in_french(found(tmp_path, source, content))["problems"]
    rows = ["|".join(problem[name] for name in TEXTS) for problem in problems]
    assert said in rows


def test_what_has_no_french_is_quoted_after_its_kind() -> None:
    problem = {"kind": "gap", "what": "odd", "expected": "even", "advice": "so be it"}
    (said,) = in_french({"problems": [problem]})["problems"]
    assert said == {
        "kind": "gap",
        "what": "Jours manquants (en anglais\u202f: odd)",
        "expected": "(en anglais\u202f: even)",
        "advice": "Rien à faire si rien n'a été mesuré. (en anglais\u202f: so be it)",
    }
    (other,) = in_french({"problems": [problem | {"kind": "no such kind"}]})["problems"]
    assert "odd" in other["what"]


def test_a_sentence_made_to_last_is_quoted(tmp_path: Path) -> None:
    content = damaged(slice(50, 60), np.nan).replace(";b;", f";{': zero ' * 18_000};")
    report = found(tmp_path, "mobility", content)
    began = time.monotonic()
    (said,) = [p["what"] for p in in_french(report)["problems"] if p["kind"] == "gap"]
    assert said.startswith("Jours manquants (en anglais") and len(said) > 100_000
    assert time.monotonic() - began < 2


def test_every_kind_has_its_french_title_and_what_to_do() -> None:
    assert list(report_fr.KINDS) == list(KINDS)
    assert all(title and advice.endswith(".") for title, advice in report_fr.KINDS.values())


def typographic(text: str) -> None:
    text = re.sub(r";\b", "", text)  # between the names of a header
    for sign in ";!?%»":
        assert text.count(sign) == text.count(f"\u202f{sign}"), text
    colons = re.sub(r"[0-9]:[0-9]", "", text)
    assert colons.count(":") == colons.count("\u202f:"), text
    assert text.count("«") == text.count("«\u202f"), text


def test_french_typography() -> None:
    texts = [text for pair in report_fr.KINDS.values() for text in pair]
    texts += [text for patterns in TEXTS.values() for text in patterns.values()]
    for text in texts:
        typographic(re.sub(r"\{([0-9]):[a-z]+\}", r"{\1}", text))
    assert all(text.endswith((".", "\u202f?", "}")) for text in ADVICE.values())


# What the modules that check a file can say, read from their syntax trees.

ROOM = Path(forecast.ingest.__file__).parent
SILENT = {"contract", "kinds", "report"}
"""Modules with tables and with the frame of a report, whose words are tested by themselves."""
NOT_SAID = {"month first", "day first", "short year", "no such day", "byte 0x7"}
NOT_SAID |= {" or ", "datetime64[us, UTC]"}
"""Keys, a value, and text that only joins."""
COLUMNS = [column for table in CONTRACT.values() for column in table.schema.columns]
HOLES = {
    "meaning": [column.meaning for column in COLUMNS if column.required],
    "unit": sorted({column.unit for column in COLUMNS if column.low is not None}),
}
"""What attributes of these names may be; other holes are filled with a number."""


def modules() -> dict[str, ast.Module]:
    """The modules of the room that checking a folder imports, directly or not."""
    found: dict[str, ast.Module] = {}
    wanted = ["folder"]
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = ast.parse((ROOM / f"{name}.py").read_text(encoding="utf-8"))
            for node in ast.walk(found[name]):
                if isinstance(node, ast.ImportFrom):
                    room, _, module = str(node.module).rpartition(".")
                    wanted += [module] if room == "forecast.ingest" else []
    return {name: tree for name, tree in found.items() if name not in SILENT}


class Sentences:
    """Every text of a module, with its holes filled in every way that the module shows."""

    def __init__(self, tree: ast.Module) -> None:
        self.named: dict[str, list[ast.expr]] = {}
        self.pieces: set[int] = set()
        outside: set[int] = set()
        texts = []
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self.named.setdefault(node.targets[0].id, []).append(node.value)
            elif isinstance(node, ast.FunctionDef):
                returned = [
                    n.value for n in ast.walk(node) if isinstance(n, ast.Return) and n.value
                ]
                self.named.setdefault(f"{node.name}()", []).extend(returned)
            if isinstance(node, ast.Raise) or (
                isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            ):
                outside |= {id(part) for part in ast.walk(node)}
            if isinstance(node, ast.JoinedStr | ast.BinOp):
                outside |= {id(part) for part in ast.walk(node) if part is not node}
            if isinstance(node, ast.JoinedStr | ast.BinOp) or (
                isinstance(node, ast.Constant) and isinstance(node.value, str)
            ):
                texts.append(node)
        said = [(node, self.filled(node)) for node in texts if id(node) not in outside]
        self.all = [
            text for node, ways in said if id(node) not in self.pieces for text in ways if text
        ]

    def filled(self, node: ast.expr) -> list[str]:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return [node.value]
        if isinstance(node, ast.JoinedStr):
            return self.joined(node.values)
        if isinstance(node, ast.FormattedValue):
            return self.within(node.value)
        if isinstance(node, ast.BinOp):
            if isinstance(node.op, ast.Add):
                return self.joined([node.left, node.right])
            return [""]  # arithmetic
        if isinstance(node, ast.IfExp):
            return [*self.within(node.body), *self.within(node.orelse)]
        return ["7"]

    def joined(self, parts: list[ast.expr]) -> list[str]:
        ways = [self.within(part) if isinstance(part, ast.IfExp | ast.Name) else self.filled(part)
                for part in parts]  # fmt: skip
        return ["".join(way) for way in itertools.product(*ways)]

    def within(self, node: ast.expr) -> list[str]:
        """What a hole may hold; the texts that fill it are pieces of others."""
        if isinstance(node, ast.Attribute) and node.attr in HOLES:
            return HOLES[node.attr]
        name = node.id if isinstance(node, ast.Name) else ""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            name = f"{node.func.id}()"
        told = [value for value in self.named.get(name, ()) if self.is_text(value)]
        if told:
            return [text for value in told for text in self.within(value)]
        if self.is_text(node):
            self.pieces |= {id(part) for part in ast.walk(node)}
            return self.filled(node)
        return ["7"]

    def is_text(self, node: ast.expr) -> bool:
        if isinstance(node, ast.IfExp):
            return self.is_text(node.body) or self.is_text(node.orelse)
        if isinstance(node, ast.BinOp):
            return isinstance(node.op, ast.Add) and self.is_text(node.right)
        return isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.Constant) and isinstance(node.value, str)
        )


def sentences() -> Iterator[tuple[str, str]]:
    for name, tree in modules().items():
        for text in Sentences(tree).all:
            yield name, text


def is_prose(text: str) -> bool:
    """Words with a space between them, no pattern of characters."""
    return " " in text.strip() and bool(re.search("[a-z]{2}", text)) and "\\" not in text


def test_every_sentence_of_the_check_has_its_french() -> None:
    told = [(name, text) for name, text in sentences() if is_prose(text) and text not in NOT_SAID]
    assert len(told) > 100
    for name, text in told:
        french = [translated(text, patterns, Part) for patterns in TEXTS.values()]
        assert any(french), f"forecast/ingest/{name}.py says {text!r}, which has no French"


def test_every_french_sentence_has_its_english() -> None:
    told = [text for _, text in sentences()]
    for patterns in TEXTS.values():
        for pattern in patterns:
            assert any(re.fullmatch(pattern, text) for text in told), f"nothing says {pattern!r}"


def test_the_guard_finds_what_is_new() -> None:
    code = "def f(n):\n  word = 'one' if n else 'no'\n  g(a, f'there is {word} {n} thing')\n"
    assert Sentences(ast.parse(code)).all == ["there is one 7 thing", "there is no 7 thing"]


def test_every_unit_of_the_contract_has_its_french() -> None:
    assert set(HOLES["unit"]) == set(UNITS)
