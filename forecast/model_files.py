"""The files of a model: texts, arrays and facts, as a bundle in which nothing is pickled."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from forecast.bundle import seal, verify
from forecast.errors import ModelIntegrityError

_ARRAYS = "arrays.npz"


def booster(quantile: float) -> str:
    """Name of the file of a quantile's booster.

    >>> booster(0.05)
    'quantile_0.05.txt'
    """
    return f"quantile_{quantile:g}.txt"


def write(
    folder: Path,
    *,
    texts: Mapping[str, str],
    arrays: Mapping[str, npt.NDArray[Any]],
    facts: Mapping[str, Any],
) -> None:
    """Write text files, arrays and facts as a bundle, into a folder that holds none."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    stored: dict[str, Any] = dict(arrays)
    np.savez(folder / _ARRAYS, **stored)
    seal(folder, facts)


def read(
    folder: Path,
) -> tuple[dict[str, Any], dict[str, str], dict[str, npt.NDArray[Any]]]:
    """Facts, texts and arrays of a bundle, after :func:`verify`; nothing is unpickled.

    Raises
    ------
    NoModelError, ModelIntegrityError
        As :func:`verify`, and if a file that matches its hash still cannot be read.
    """
    facts = verify(folder)
    try:
        texts = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.txt")}
        with np.load(folder / _ARRAYS, allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
    except (KeyError, ValueError, OSError, BadZipFile) as error:
        raise ModelIntegrityError(f"{folder}: cannot be read: {error}") from error
    return facts, texts, arrays
