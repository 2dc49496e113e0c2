"""Readings of real-time feeds: kept once, whole or not at all, whatever happens."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.errors import LakeError, SchemaError
from forecast.ingest.samples import COLUMNS, Samples

ALWAYS = (pd.Timestamp("2000-01-01T00:00Z"), pd.Timestamp("2100-01-01T00:00Z"))


def rows(*values: float, site: str = "P1", start: str = "2026-07-14T08:00Z") -> pd.DataFrame:
    at = pd.date_range(start, periods=len(values), freq="6min")
    return pd.DataFrame(
        {"site_id": site, "zone_id": "z", "variable": "flow", "at": at, "value": list(values)}
    )


def test_what_is_added_is_read_and_added_twice_is_kept_once(tmp_path: Path) -> None:
    store = Samples(tmp_path / "data" / "samples.sqlite")
    assert store.add("dir", rows(1.0, 2.0, 3.0)) == 3
    assert store.add("dir", rows(1.0, 9.0, 3.0, 4.0)) == 1, "a reading stays what it was"
    assert store.add("other", rows(7.0)) == 1
    found = Samples(tmp_path / "data" / "samples.sqlite").read("dir", *ALWAYS)
    assert list(found.columns) == list(COLUMNS)
    assert found["value"].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert str(found["at"].dtype) == "datetime64[us, UTC]"
    assert found["at"].iloc[0] == pd.Timestamp("2026-07-14T08:00Z")


def test_reading_takes_the_beginning_and_leaves_the_end(tmp_path: Path) -> None:
    store = Samples(tmp_path / "samples.sqlite")
    store.add("dir", rows(1.0, 2.0, 3.0))
    since, until = pd.Timestamp("2026-07-14T08:06Z"), pd.Timestamp("2026-07-14T08:12Z")
    assert store.read("dir", since, until)["value"].tolist() == [2.0]
    assert store.prune("dir", until) == 2
    assert store.read("dir", *ALWAYS)["value"].tolist() == [3.0]
    assert store.prune("nobody", until) == 0


def test_an_empty_store_is_no_file_and_no_rows(tmp_path: Path) -> None:
    store = Samples(tmp_path / "samples.sqlite")
    found = store.read("dir", *ALWAYS)
    assert found.empty and str(found["at"].dtype) == "datetime64[us, UTC]"
    assert store.prune("dir", ALWAYS[1]) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "wrong",
    [
        rows(1.0).drop(columns="zone_id"),
        rows(1.0, np.nan),
        rows(1.0, np.inf),
        rows(1.0).assign(at=pd.DatetimeIndex(["2026-07-14T08:00"])),
        rows(1.0).assign(at=pd.DatetimeIndex([pd.NaT], tz="UTC")),
    ],
)
def test_a_wrong_table_is_refused_whole(tmp_path: Path, wrong: pd.DataFrame) -> None:
    store = Samples(tmp_path / "samples.sqlite")
    with pytest.raises(SchemaError, match="samples:"):
        store.add("dir", wrong)
    assert store.read("dir", *ALWAYS).empty


def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "samples.sqlite"
    path.write_bytes(b"this is no database " * 100)
    with pytest.raises(LakeError, match=r"samples\.sqlite.*move it away"):
        Samples(path).add("dir", rows(1.0))


ADD = """
import sys
import pandas as pd
from pathlib import Path
from forecast.ingest.samples import Samples
store = Samples(Path(sys.argv[1]))
start = pd.Timestamp("2026-07-14T00:00Z")
for turn in range(10_000):
    at = [start + pd.Timedelta(seconds=turn)] * 50
    sites = [f"S{i}" for i in range(50)]
    frame = pd.DataFrame({"site_id": sites, "zone_id": "z", "variable": "flow", "at": at,
                          "value": float(turn)})
    store.add("dir", frame)
    sys.stdout.write(".")
    sys.stdout.flush()
"""


def test_a_process_killed_while_adding_leaves_whole_polls(tmp_path: Path) -> None:
    path = tmp_path / "samples.sqlite"
    with subprocess.Popen([sys.executable, "-c", ADD, str(path)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.read(12) == b"." * 12
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL
    found = Samples(path).read("dir", *ALWAYS)
    polls = found.groupby("at").size()
    assert len(polls) >= 12 and (polls == 50).all()
    assert Samples(path).add("dir", rows(1.0)) == 1


def test_two_processes_add_at_once(tmp_path: Path) -> None:
    path = tmp_path / "samples.sqlite"
    code = ADD.replace("10_000", "15")
    children = [
        subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.DEVNULL)
        for _ in range(2)
    ]
    assert [child.wait(60) for child in children] == [0, 0]
    assert len(Samples(path).read("dir", *ALWAYS)) == 15 * 50
