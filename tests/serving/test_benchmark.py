"""The benchmark of the server runs, and its last line is what it measured."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_it_ends_with_its_ratios() -> None:
    arguments = [sys.executable, "-m", "benchmarks.serving", "--seconds", "1", "--rounds", "1"]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert set(said["polled"]) == {"bare", "fastapi", "afflux"}
    assert set(said["servers"]) == {"afflux serve"}
    for connections in ("8", "32"):
        mine, bare = (said["polled"][name][connections] for name in ("afflux", "bare"))
        ratio = said["ratios"][f"of_bare_{connections}"]
        assert ratio == pytest.approx(mine["per_second"] / bare["per_second"], abs=0.001)
        assert mine["cpu_us"] > 0
    assert said["servers"]["afflux serve"]["resident_mb"] < 64
    assert said["machine"]["cores"] >= 1
