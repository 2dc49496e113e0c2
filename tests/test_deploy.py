"""The systemd units name commands, options and variables that exist; systemd understands them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from forecast import docs

ROOT = Path(__file__).parents[1]
UNITS = sorted((ROOT / "deploy").glob("afflux-*.*"))
SERVICES = [path for path in UNITS if path.suffix == ".service"]


def settings(path: Path) -> list[tuple[str, str]]:
    lines = path.read_text("utf-8").splitlines()
    return [
        (name, value) for name, equals, value in (line.partition("=") for line in lines) if equals
    ]


def test_there_are_a_server_a_cycle_and_its_timer() -> None:
    names = [path.name for path in UNITS]
    assert names == ["afflux-run.service", "afflux-run.timer", "afflux-serve.service"]
    page = (ROOT / "deploy" / "README.md").read_text("utf-8")
    assert all(f"]({name})" in page for name in names)


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_what_a_unit_starts_exists(path: Path) -> None:
    (command,) = [value for name, value in settings(path) if name == "ExecStart"]
    program, verb, *rest = command.split()
    assert program.endswith("/.venv/bin/afflux")
    known = {option for p in dict(docs.commands())[verb].params for option in p.opts}
    assert {word for word in rest if word.startswith("-")} <= known
    variables = re.findall(r"\b(AFFLUX_[A-Z_]+)=", path.read_text("utf-8"))
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert variables and all(f"`{name}`" in page for name in variables)


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_a_unit_writes_under_the_home_s_data_alone(path: Path) -> None:
    said = dict(settings(path))
    assert said["ProtectSystem"] == "strict"
    assert said["ReadWritePaths"].endswith("/home/data")
    assert (said["User"], said["NoNewPrivileges"], said["CapabilityBoundingSet"]) == (
        "afflux", "true", "",
    )  # fmt: skip


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    for path in UNITS:
        text = path.read_text("utf-8")
        # The program is where the README has it installed, which need not be on this machine.
        text = re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", text)
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(tmp_path / path.name for path in UNITS)],
        capture_output=True,
        text=True,
    )
    if "Failed to" in done.stderr and "bus" in done.stderr:
        pytest.skip(f"systemd-analyze does not work here: {done.stderr.strip()}")
    assert [line for line in done.stderr.splitlines() if "afflux" in line] == []
    assert done.returncode == 0, done.stderr
