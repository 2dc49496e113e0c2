"""A folder of input files for the tests of this room."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

TERRITORY = """\
id = "test"
name = "Territoire d'essai"

[[zones]]
id = "01234"
name = "Honfleur"
population = 20000
latitude = 49.4
longitude = 0.2

[[zones]]
id = "200084952"
name = "Le Havre"
population = 260000
latitude = 49.5
longitude = 0.1
"""


@pytest.fixture
def now() -> pd.Timestamp:
    return pd.Timestamp("2026-09-01T12:00Z")


class Folder:
    """An input folder on disk, with a territory of two zones: 01234 and 200084952."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "territory.toml").write_text(TERRITORY, encoding="utf-8")

    def put(self, name: str, content: str | bytes) -> Folder:
        data = content if isinstance(content, bytes) else content.encode("utf-8")
        (self.path / name).write_bytes(data)
        return self


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    path = tmp_path / "estuaire"
    path.mkdir()
    return Folder(path)
