"""The installed `afflux` command as a user meets it: what it prints and writes, how it ends."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.blending import MEMBERS
from forecast.champion import champion_folder
from forecast.decision import Decision
from forecast.registry import Registry
from forecast.sentence import LABELS

ORIGIN = "2025-05-30T08:00"
VERBS = (
    "demo", "check", "ingest", "features", "train", "backtest", "promote", "rollback", "models",
    "predict", "publish", "serve", "explain", "run", "sources", "lake",
)  # fmt: skip
LEVELS = "vert|orange|rouge|noir"


def plain(text: str) -> str:
    """Without the narrow and the wide no-break spaces."""
    return text.replace("\u202f", " ").replace("\u00a0", " ")


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """The error, which must be one line that names the command, and no traceback."""
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("afflux: ")]
    assert len(lines) == 1, done.stderr
    assert done.stderr.rstrip().endswith(lines[0])
    assert done.stdout == ""
    return lines[0]


# Help


def test_help_lists_every_verb_and_loads_nothing_heavy(afflux, environment) -> None:
    done = afflux("--help")
    assert done.returncode == 0
    for verb in VERBS:
        assert re.search(rf"^│ {verb} ", done.stdout, re.MULTILINE), verb
    script = (
        "import sys, forecast.cli as c\n"
        "sys.argv = ['afflux', '--help']\n"
        "try: c.main()\n"
        "except SystemExit as stop: assert not stop.code\n"
        "print('loaded:', *sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    said = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    loaded = set(said.stdout.rpartition("loaded: ")[2].split())
    assert "typer" in loaded
    assert loaded.isdisjoint({"pandas", "numpy", "mlflow", "lightgbm", "sklearn", "pyarrow"})


def test_a_server_starts_without_the_command_line_s_libraries() -> None:
    script = (
        "import sys, forecast.cli.start\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert set(said.stdout.split()).isdisjoint({"typer", "rich", "click", "pandas", "numpy"})


@pytest.mark.parametrize("verb", [*VERBS[:-1], "lake info", "lake compact"])
def test_every_verb_has_an_example(afflux, verb: str) -> None:
    done = afflux(*verb.split(), "--help")
    assert done.returncode == 0
    assert f"Example: afflux {verb}" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_version(afflux) -> None:
    done = afflux("--version")
    assert done.returncode == 0
    assert re.fullmatch(r"afflux \d+\.\d+\.\d+\S*\n", done.stdout)


# Bad usage and bad input: 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no-such-verb"], "No such command"),
        (["predict", "--week"], "No such option"),
        (["check"], "Missing argument"),
        (["serve", "--port", "eighty"], "Invalid value for"),
        (["lake", "expand"], "No such command"),
    ],
)
def test_bad_usage_is_two(afflux, arguments: list[str], said: str) -> None:
    done = afflux(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_folder_that_is_none_is_two(afflux, tmp_path: Path) -> None:
    done = afflux("check", tmp_path / "nowhere", home=tmp_path)
    assert done.returncode == 2
    assert "is not a folder" in one_line(done)
    (tmp_path / "empty").mkdir()
    for verb in ("check", "ingest"):
        done = afflux(verb, tmp_path / "empty", home=tmp_path)
        assert done.returncode == 2
        assert "has no territory.toml" in done.stderr


def test_a_home_without_configuration_is_two_and_says_what_to_do(afflux, tmp_path: Path) -> None:
    for verb in ("predict", "train"):
        done = afflux(verb, home=tmp_path)
        assert done.returncode == 2
        assert "run `afflux ingest FOLDER`" in one_line(done)


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        ("tomorrow morning", "is not an instant"),
        ("2025-03-30T02:30", "2025-03-30"),  # does not exist: the clock went forward
        ("2025-10-26T02:30", "2025-10-26"),  # exists twice
    ],
)
def test_an_origin_that_is_no_instant_is_two(world, afflux, origin: str, said: str) -> None:
    done = afflux("predict", "--origin", origin, home=world.home)
    assert done.returncode == 2
    assert said in one_line(done)
    assert "ISO 8601" in done.stderr


def test_a_typing_error_in_the_configuration_is_two(afflux, home: Path) -> None:
    path = home / "configs" / "estuaire.toml"
    path.write_text(path.read_text("utf-8") + "\n[trainning]\nrounds = 3\n", encoding="utf-8")
    done = afflux("predict", home=home)
    assert done.returncode == 2
    assert f"{path}: trainning: unknown key" in one_line(done)


# Failures: 1


def test_without_a_champion_is_one_and_debug_shows_where(afflux, world, tmp_path: Path) -> None:
    shutil.copytree(world.home / "configs", tmp_path / "configs")
    done = afflux("predict", home=tmp_path)
    assert done.returncode == 1
    assert "run `afflux train`, then `afflux promote`" in one_line(done)
    done = afflux("predict", "--debug", home=tmp_path)
    assert done.returncode == 1
    assert "Traceback (most recent call last)" in done.stderr
    assert "NoModelError" in done.stderr


def test_training_on_nothing_is_one(afflux, world, tmp_path: Path) -> None:
    shutil.copytree(world.home / "configs", tmp_path / "configs")
    done = afflux("train", home=tmp_path)
    assert done.returncode == 1
    assert "no influx of these zones has been ingested" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "models" / "artifacts").exists()


# Data


@pytest.fixture
def small_folder(world, tmp_path: Path) -> Path:
    """The last year of influx and mobility of the simulated estuary, as a user's folder."""
    folder = tmp_path / "files"
    folder.mkdir()
    shutil.copyfile(world.input / "territory.toml", folder / "territory.toml")
    for source in ("influx", "mobility"):
        table = pd.read_csv(world.input / f"{source}.csv", dtype={"zone_id": str})
        table[table["date"] >= "2025-03-01"].to_csv(folder / f"{source}.csv", index=False)
    return folder


def test_check_reports_and_ends_well_on_good_files(afflux, small_folder: Path, tmp_path) -> None:
    home = tmp_path / "home"
    done = afflux("check", small_folder, home=home)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("0 errors")
    report = json.loads(afflux("check", small_folder, "--json", home=home).stdout)
    assert report["ok"] is True
    assert not home.exists()  # a check writes nothing


def test_ingest_twice_and_a_year_later(afflux, small_folder: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = json.loads(afflux("ingest", small_folder, "--json", home=home).stdout)
    stated = sum(
        pd.read_csv(small_folder / f"{source}.csv").iloc[:, column].notna().sum()
        for source, column in (("influx", 2), ("mobility", 3))
    )
    assert first["new"] == stated < first["rows"]["influx"] + first["rows"]["mobility"]
    again = afflux("ingest", small_folder, home=home)
    assert again.returncode == 0
    assert f"0 new observations, {first['new']:,} already known" in again.stdout
    assert sorted(path.name for path in home.iterdir()) == ["configs", "data"]
    info = json.loads(afflux("lake", "info", "--json", home=home).stdout)
    found = {row["source"]: row for row in info["sources"]}
    assert set(found) == {"influx", "mobility"}
    assert found["influx"]["rows"] == first["rows"]["influx"]
    assert found["influx"]["first"] == "2025-03-01"
    assert found["influx"]["zones"] == 8
    table = afflux("lake", "info", home=home)
    assert max(map(len, table.stdout.splitlines())) <= 80
    compacted = json.loads(afflux("lake", "compact", "--json", home=home).stdout)
    assert compacted["files_after"] <= compacted["files_before"]


def test_bad_rows_are_refused_or_left_out_and_counted(
    afflux, small_folder: Path, tmp_path: Path
) -> None:
    home, path = tmp_path / "home", small_folder / "influx.csv"
    lines = path.read_text("utf-8").splitlines()
    cells = lines[5].split(",")
    lines[5] = ",".join([*cells[:2], "-5", *cells[3:]])
    lines[9] = lines[9].replace("2025", "20XX", 1)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    checked = afflux("check", small_folder, home=home)
    assert checked.returncode == 2
    assert "influx.csv, line 6, column influx" in checked.stdout
    assert "influx.csv, line 10, column date" in checked.stdout
    refused = afflux("ingest", small_folder, home=home)
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
    assert not (home / "data").exists()
    assert not (home / "configs").exists()
    taken = json.loads(
        afflux("ingest", small_folder, "--skip-bad-rows", "--json", home=home).stdout
    )
    assert taken["skipped"]["influx"] == 2
    assert taken["skipped"]["mobility"] == 0
    assert taken["version"] >= 0


def test_a_home_holds_one_territory(afflux, world, small_folder: Path) -> None:
    path = small_folder / "territory.toml"
    path.write_text(path.read_text("utf-8").replace('"estuaire"', '"ailleurs"', 1), "utf-8")
    done = afflux("ingest", small_folder, home=world.home)
    assert done.returncode == 2
    assert "describes 'ailleurs' (simulated)" in done.stderr
    assert "one home holds one territory" in done.stderr


def test_features_are_written_and_summed_up(afflux, world, tmp_path: Path) -> None:
    out = tmp_path / "matrix.parquet"
    arguments = ("features", "--origin", ORIGIN, "--out", out, "--json")
    done = afflux(*arguments, home=world.home)
    assert done.returncode == 0, done.stderr
    told, matrix = json.loads(done.stdout), pd.read_parquet(out)
    assert told["questions"] == len(matrix) == 8 * 15
    assert told["origin"] == "2025-05-30T06:00:00+00:00"
    assert set(matrix["zone_id"]) == {zone.id for zone in world.config.zones}
    for source, facts in told["sources"].items():
        columns = matrix.filter(regex=f"^{source}_")
        assert len(columns.columns) == facts["columns"]
        assert columns.notna().mean(axis=None) == pytest.approx(facts["filled"], abs=1e-4)
    assert told["sources"]["history"]["filled"] == 1

    done = afflux(*arguments, "--weeks", "3", home=world.home)
    several = pd.read_parquet(out)
    assert json.loads(done.stdout)["questions"] == len(several) == 3 * 8 * 15
    origins = sorted(several["origin"].astype(str).unique())
    assert origins == [f"2025-05-{day} 06:00:00+00:00" for day in (16, 23, 30)]
    newest = several[several["origin"] == several["origin"].max()].reset_index(drop=True)
    pd.testing.assert_frame_equal(newest, matrix)
    assert [path.name for path in tmp_path.iterdir()] == ["matrix.parquet"]


# Models


def test_models_promote_and_rollback(afflux, world, home: Path) -> None:
    """Version 1 is champion; the same bundle, logged again, becomes version 2, and gives way."""
    log_again(world, home, replace(world.trained.decision, against="1"))
    promoted = json.loads(afflux("promote", "--json", home=home).stdout)
    assert promoted == {"version": "2", "previous": "1"}
    back = afflux("rollback", home=home)
    assert back.returncode == 0, back.stderr
    assert "version 1 is champion" in back.stdout
    found = {
        row["version"]: row for row in json.loads(afflux("models", "--json", home=home).stdout)
    }
    assert found["1"]["aliases"] == ["champion"]
    assert (found["1"]["served"], found["2"]["served"]) == (True, False)
    assert found["1"]["simulated"] is True
    assert found["2"]["metrics"] == {"wape": 0.1}
    again = afflux("rollback", home=home)
    assert again.returncode == 1
    assert "no champion before this one" in one_line(again)


def log_again(world, home: Path, decision: Decision | None) -> None:
    Registry(home / "models", f"influx-{world.config.id}").log(
        champion_folder(home / "models"),
        params={},
        metrics={"wape": 0.1},
        tags={},
        figures={},
        decision=decision,
    )


def test_promote_obeys_the_gate_unless_told_why_not(afflux, world, home: Path) -> None:
    first, *others = world.trained.decision.criteria
    failed = replace(first, candidate=0.5, passed=False)
    log_again(world, home, Decision("1", "8 origins", (failed, *others)))
    refused = afflux("promote", home=home)
    assert refused.returncode == 1
    assert re.search(r"wape +0\.500 +0\.\d{3} +below \w+ +FAILED", refused.stdout)
    assert "coverage_80" in refused.stdout
    (error,) = [line for line in refused.stderr.splitlines() if line.startswith("afflux: ")]
    assert "version 2 did not pass the gate: wape; the champion stays as it is" in error
    assert "Traceback" not in refused.stderr
    for arguments in (("--force",), ("--force", "--reason", "  "), ("--reason", "because")):
        incomplete = afflux("promote", *arguments, home=home)
        assert incomplete.returncode == 2
        assert "--force and --reason TEXT go together" in one_line(incomplete)
    told = afflux("promote", "--force", "--reason", "the year was flooded", "--json", home=home)
    assert json.loads(told.stdout) == {"version": "2", "previous": "1"}
    reigns = json.loads((home / "models" / "champions.json").read_text())
    assert [reign["reason"] for reign in reigns] == ["", "the year was flooded"]
    listed = json.loads(afflux("models", "--json", home=home).stdout)
    assert listed[0]["forced"] == "the year was flooded"
    assert listed[0]["decision"]["passed"] is False
    assert listed[1]["decision"]["passed"] is True


def test_promote_refuses_what_the_gate_never_saw(afflux, world, home: Path) -> None:
    log_again(world, home, None)
    refused = afflux("promote", home=home)
    assert refused.returncode == 1
    assert "version 2 has no decision of the gate" in one_line(refused)


def test_backtest_prints_and_writes_its_answers(afflux, world, tmp_path: Path) -> None:
    """A few trees over four weeks, chosen by AFFLUX_CONFIG; a run is recorded, no version."""
    home = tmp_path / "home"
    for part in ("configs", "data"):
        shutil.copytree(world.home / part, home / part)
    text = (home / "configs" / "estuaire.toml").read_text("utf-8")
    for key, value in (("rounds", 10), ("backtest_days", 28), ("refit_days", 28)):
        text = re.sub(rf"^{key} = \d+$", f"{key} = {value}", text, flags=re.MULTILINE)
    quick, out = tmp_path / "quick.toml", tmp_path / "answers.parquet"
    quick.write_text(text, encoding="utf-8")
    done = afflux("backtest", "--json", "--out", out, home=home, AFFLUX_CONFIG=str(quick))
    assert done.returncode == 0, done.stderr
    told, rows = json.loads(done.stdout), pd.read_parquet(out)
    assert told["simulated"] is True
    assert told["perfect_weather"] is False
    whole = next(row for row in told["scores"] if row["group"] == "all")
    assert whole["rows"] == len(rows) == 8 * 15 * 4
    error = (rows["influx"] - rows["influx_p50"]).abs().sum() / rows["influx"].sum()
    assert whole["wape"] == pytest.approx(error)
    assert list(told["members"]) == ["boosters", *MEMBERS]
    assert 0.5 * error < min(told["members"].values()) < max(told["members"].values()) < 1
    artifacts = home / "models" / "artifacts" / told["run"]
    (kept,) = artifacts.rglob("backtest_rows.csv")
    assert len(pd.read_csv(kept)) == len(rows)
    (verified,) = artifacts.rglob("levels_rows.csv")
    levels = {(row["level"], row["horizon"]): row for row in told["levels"]}
    near = pd.read_csv(verified).query("1 <= horizon_days <= 7")
    assert near["origin"].nunique() == 11  # an origin every second day of the three weeks asked
    near = near.dropna(subset="usual_orange")
    assert levels["orange", "1–7 d"]["events"] == near["reached_orange"].sum()
    brier = ((near["risk_rouge"] - near["reached_rouge"]) ** 2).mean()
    assert levels["rouge", "1–7 d"]["brier"] == pytest.approx(brier)
    assert Registry(home / "models", f"influx-{world.config.id}").versions() == []


# Forecasts


def test_the_weekend_in_french(afflux, world) -> None:
    done = afflux("predict", "--weekend", "--origin", ORIGIN, home=world.home)
    assert done.returncode == 0, done.stderr
    said = plain(done.stdout)
    assert "données simulées" in said
    assert "prévision du vendredi 30 mai à 8 h 00" in said.replace("\n", " ")
    for zone in world.config.zones:
        assert zone.name in said, zone.name
    for day in ("vendredi 30 mai", "samedi 31 mai", "dimanche 1er juin"):
        assert said.count(day) >= 8
    rows = re.findall(rf"(?:mai|juin) +[\d ]+ [\d ]+ à [\d ]+ +[\d ]+ +(?:{LEVELS})\b", said)
    assert len(rows) == 24
    assert max(map(len, done.stdout.splitlines())) <= 80
    for source in ("fréquentation", "mobilité", "stationnement", "déchets", "météo prévue"):
        assert source in said
    assert "en retard de 4 envois" in said
    assert "à jour" in said


def test_predict_for_a_machine(afflux, world) -> None:
    done = afflux("predict", "--origin", ORIGIN, "--json", home=world.home)
    rows = json.loads(done.stdout, parse_constant=pytest.fail)
    assert len(rows) == 8 * 15
    assert rows[0]["target_date"] == "2025-05-30"
    assert rows[0]["origin"] == "2025-05-30T06:00:00+00:00"
    expected = world.published.answer.forecasts["influx_p50"].to_numpy()
    np.testing.assert_allclose([row["influx_p50"] for row in rows], expected)


def test_what_is_not_known_is_null_for_a_machine(afflux, world, tmp_path: Path) -> None:
    """A home with a champion and an empty lake: no usual value, no level."""
    shutil.copytree(world.home / "configs", tmp_path / "configs")
    shutil.copytree(world.home / "models", tmp_path / "models", symlinks=True)
    done = afflux("predict", "--origin", ORIGIN, "--json", home=tmp_path)
    rows = json.loads(done.stdout, parse_constant=pytest.fail)
    assert len(rows) == 8 * 15
    assert {row["usual"] for row in rows} == {None}
    assert {row["level"] for row in rows} == {None}
    assert {row["probability_noir"] for row in rows} == {None}
    told = afflux("predict", "--weekend", "--origin", ORIGIN, home=tmp_path)
    assert told.returncode == 0, told.stderr
    assert "nan" not in told.stdout.lower()


def test_explain_adds_up_to_the_difference_and_says_it_in_french(afflux, world) -> None:
    asked = ("explain", "--date", "2025-05-31", "--origin", ORIGIN, "--zone")
    told = json.loads(afflux(*asked, "241400415", "--json", home=world.home).stdout)
    assert (told["zone_name"], told["target_date"]) == ("Cœur Côte Fleurie", "2025-05-31")
    assert sum(told["contributions"].values()) == pytest.approx(told["difference"])
    assert told["difference"] == pytest.approx(told["influx"]["p50"] - told["usual"])
    assert told["reference"] == pytest.approx(told["usual"])

    done = afflux(*asked, "coeur cote FLEURIE", home=world.home)
    assert done.returncode == 0, done.stderr
    said = plain(done.stdout)
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "Cœur Côte Fleurie, samedi 31 mai" in said
    assert "données simulées" in said
    assert told["why"] in done.stdout.replace("\n", " ")
    lines = dict(re.findall(r"^ *(.+?) +([+−]?\d{1,3}(?: \d{3})*)(?!\d)", said, flags=re.MULTILINE))
    figures = {k: int(v.replace(" ", "").replace("−", "-")) for k, v in lines.items()}
    domains = {k: v for k, v in figures.items() if k in LABELS.values()}
    assert len(domains) == len(told["contributions"]) == 9
    assert sum(domains.values()) == figures["Écart"]
    assert figures["Écart"] == figures["Visiteurs attendus"] - figures["D'ordinaire"]
    assert domains["fêtes, ponts, vacances"] > 0
    assert said.count("█") > 10


@pytest.mark.parametrize(
    ("zone", "day", "said"),
    [
        ("Deauville", "2025-05-31", "expected one of 200084952 (Le Havre Seine Métropole)"),
        ("241400415", "31/05/2025", "expected one like 2026-05-14"),
        ("241400415", "2025-06-14", "expected 2025-05-30 to 2025-06-13"),
        ("241400415", "2025-05-29", "expected 2025-05-30 to 2025-06-13"),
    ],
)
def test_explain_of_what_is_not_forecast_is_two(afflux, world, zone, day, said: str) -> None:
    done = afflux("explain", "--zone", zone, "--date", day, "--origin", ORIGIN, home=world.home)
    assert done.returncode == 2
    assert said in one_line(done)


def test_publish_and_serve_until_interrupted(afflux, environment, home: Path) -> None:
    done = afflux("publish", "--origin", ORIGIN, "--json", home=home)
    facts = json.loads(done.stdout)
    assert facts["forecasts"] == 8 * 15
    assert facts["unanswered"] == []
    assert facts["regime"] == "influx+mobility+waste+weather"
    current = (home / "data" / "publications" / "current").read_text().strip()
    assert current == facts["publication"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = Path(sys.executable).with_name("afflux")
    with subprocess.Popen(
        [script, "serve", "--port", str(port)],
        env=environment | {"AFFLUX_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        said = ""
        while "Uvicorn running on" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(
                b"GET /v1/forecasts/weekend HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            )
            answer = b"".join(iter(lambda: client.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 200")
        assert "Cœur Côte Fleurie".encode() in answer
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        process.wait(timeout=20)
    assert "Traceback" not in rest
    assert "Application shutdown complete" in rest


# Where it writes


def test_nothing_is_written_outside_the_home(afflux, home: Path, tmp_path: Path) -> None:
    """Not in the folder it is run from, not in the user's."""
    run_from, user = tmp_path / "run_from", tmp_path / "user"
    for folder in (run_from, user):
        folder.mkdir()
    for arguments in (
        ("ingest", home / "input"),
        ("lake", "compact"),
        ("features", "--origin", ORIGIN),
        ("predict", "--weekend", "--origin", ORIGIN),
        ("publish", "--origin", ORIGIN),
    ):
        done = afflux(*arguments, home=home, cwd=run_from, HOME=str(user), TMPDIR=str(tmp_path))
        assert done.returncode == 0, done.stderr
    assert list(run_from.rglob("*")) == []
    assert list(user.rglob("*")) == []
    expected = {"configs", "data", "input", "models", "server.log"}
    assert {path.name for path in home.iterdir()} <= expected


def test_the_current_folder_is_the_home_by_default(afflux, world) -> None:
    done = afflux("lake", "info", "--json", cwd=world.home)
    assert json.loads(done.stdout)["version"] == 1
