"""Whatever is asked, the answer is one that the OpenAPI document has: all checks of schemathesis.

``AFFLUX_FUZZ=full`` asks tens of thousands of times, in sequences of requests too.
"""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from forecast.serving.key_store import KeyStore
from forecast.serving.options import SCOPES

FULL = os.environ.get("AFFLUX_FUZZ") == "full"
CONFIG = """
[checks.negative_data_rejection]
# Where a body or a URL is too long as well as wrong, the length is what is said first.
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 414, 415, 422]
"""


@pytest.fixture
def asked(tmp_path: Path, settle, publish, start, monkeypatch: pytest.MonkeyPatch):
    """A server that takes files and webhooks, and a key for everything."""
    settle(tmp_path)
    publish(tmp_path)
    publish(tmp_path, seed=2, minutes=30)
    for name, value in {
        "AFFLUX_WEBHOOK_HOSTS": "example.org,localhost",
        "AFFLUX_KEY_RATE_LIMIT": "100000000",
        "AFFLUX_ACCESS_LOG": "off",
    }.items():
        monkeypatch.setenv(name, value)
    store = KeyStore(tmp_path / "data" / "keys.json")
    _, token = store.add("fuzz", SCOPES, datetime.now(UTC), 1)
    return start(), token


def test_no_undocumented_answer_and_no_server_error(asked, tmp_path: Path) -> None:
    server, token = asked
    phases = "examples,coverage,fuzzing" + ",stateful" * FULL
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG, encoding="utf-8")
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("schemathesis"), "--config-file", config, "run"),
            *(f"{server.url}/openapi.json", "-H", f"Authorization: Bearer {token}"),
            # What is right is checked more closely than `positive_data_acceptance` can, in
            # schemathesis_hooks.py.
            *("--checks", "all", "--exclude-checks", "positive_data_acceptance"),
            *("--phases", phases, "-n", "1000" if FULL else "2", "--continue-on-failure"),
            *("--generation-database", "none", "--no-color"),
            *(() if FULL else ("--seed", "20260701")),
        ],
        cwd=tmp_path,
        env=os.environ
        | {"SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    operations = re.search(r"Tested: ([0-9]+)", done.stdout)
    counts = re.search(r"([0-9]+) generated, ([0-9]+) passed", done.stdout)
    assert operations and int(operations[1]) >= 25, done.stdout
    assert counts and counts[1] == counts[2], done.stdout
    assert int(counts[1]) >= (10_000 if FULL else 300), done.stdout
    assert server.process.poll() is None
    assert "Traceback" not in server.log.read_text()
