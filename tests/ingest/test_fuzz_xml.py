"""The XML parsers under thousands of inputs made by atheris, from real documents on."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parents[1] / "fuzz"
needs_atheris = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None,
    reason="atheris is not installed: it has wheels for Linux on x86-64 only",
)


@needs_atheris
@pytest.mark.parametrize("name", ["fuzz_dir_traffic", "fuzz_datex_parking"])
def test_nothing_but_the_documented_error(name: str, tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    write = (
        f"import sys; sys.path.insert(0, {str(HERE)!r}); from pathlib import Path\n"
        f"from {name} import SEEDS\n"
        f"[Path({str(seeds)!r}, str(i)).write_bytes(seed) for i, seed in enumerate(SEEDS)]"
    )
    subprocess.run([sys.executable, "-c", write], check=True, capture_output=True, timeout=60)
    runs = [
        "-runs=1500",
        "-max_len=4096",
        "-timeout=10",
        "-seed=7",
        f"-artifact_prefix={tmp_path}/",
    ]
    done = subprocess.run(
        [sys.executable, HERE / f"{name}.py", *runs, str(seeds)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Done 1500 runs" in done.stderr
