"""The fuzzers, a few thousand inputs each: whatever they find, parsers answer or say why not."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RUNS = {
    "fuzz_archives": (3000, 300),
    "fuzz_datex_parking": (1500, 4096),
    "fuzz_dir_traffic": (1500, 4096),
    "fuzz_weather": (4000, 500),
}
"""Inputs, and bytes that one may have."""


def test_every_fuzzer_is_run() -> None:
    assert sorted(path.stem for path in HERE.glob("fuzz_*.py")) == sorted(RUNS)


@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None,
    reason="atheris is not installed: it has wheels for Linux on x86-64 only",
)
@pytest.mark.parametrize("name", RUNS)
def test_nothing_but_the_documented_error(name: str, tmp_path: Path) -> None:
    runs, length = RUNS[name]
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    limits = [f"-runs={runs}", f"-max_len={length}", "-timeout=60", "-seed=1"]
    done = subprocess.run(
        [sys.executable, HERE / f"{name}.py", *limits, f"-artifact_prefix={tmp_path}/", corpus],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(HERE.parents[1])},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"Done {runs} runs" in done.stderr
