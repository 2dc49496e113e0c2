"""The parsers of archives and calendars under a few thousand inputs made by atheris."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def test_nothing_but_the_documented_error(tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="atheris is not installed: no wheel for this platform")
    harness = Path(__file__).parent / "fuzz_archives.py"
    runs = ["-runs=3000", "-max_len=300", "-timeout=10", "-seed=1"]
    done = subprocess.run(
        [sys.executable, harness, *runs, f"-artifact_prefix={tmp_path}/"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Done 3000 runs" in done.stderr
