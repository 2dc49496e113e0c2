"""A model bundle: a folder of files and a manifest that names the SHA-256 of each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forecast.errors import ModelIntegrityError, NoModelError

MANIFEST = "manifest.json"


def seal(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write ``manifest.json`` with ``facts`` and the hash and size of every file of the folder."""
    files = {
        path.name: {"sha256": _sha256(path), "bytes": path.stat().st_size}
        for path in sorted(folder.iterdir())
        if path.name != MANIFEST
    }
    text = json.dumps({**facts, "files": files}, indent=1, sort_keys=True, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def verify(folder: Path) -> dict[str, Any]:
    """Return the manifest of a bundle after checking every file against it.

    Raises
    ------
    NoModelError
        If there is no manifest.
    ModelIntegrityError
        If the manifest cannot be read, or a file is absent, added, or differs from its hash.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files: dict[str, dict[str, Any]] = manifest["files"]
    except FileNotFoundError:
        raise NoModelError(
            f"{folder}: holds no model (no {MANIFEST}); run `afflux train`"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise ModelIntegrityError(f"{folder / MANIFEST}: cannot be read: {error}") from error
    for name, facts in files.items():
        path = folder / name
        if not path.is_file():
            raise ModelIntegrityError(f"{path}: is absent; the bundle is refused")
        if _sha256(path) != facts["sha256"]:
            raise ModelIntegrityError(
                f"{path}: does not match its SHA-256; the bundle is refused. Train again, or "
                "`afflux rollback` to the champion before"
            )
    extra = {path.name for path in folder.iterdir()} - set(files) - {MANIFEST}
    if extra:
        raise ModelIntegrityError(f"{folder / sorted(extra)[0]}: is not in the manifest")
    return manifest


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
