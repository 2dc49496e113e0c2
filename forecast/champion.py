"""The champion on disk: `models/champion`, a link to one immutable bundle, and those before it.

::

    models/
      champion -> bundles/3-9f2c11ab     replaced in one step, never written in place
      bundles/3-9f2c11ab/                <version>-<first characters of the manifest's SHA-256>
      champions.json                     who was champion, oldest first

Only the standard library is imported here, so that what forecasts and publishes can find its model
without MLflow. The link says who is champion; the history is only read up to that one, so that a
process killed between two steps leaves a state that the next command understands.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from forecast.bundle import MANIFEST, verify
from forecast.errors import ModelError, ModelIntegrityError, NoModelError


@dataclass(frozen=True)
class Reign:
    """One champion: the registered model's ``name``, its ``version``, its bundle's ``folder``.

    ``reason`` is why it was promoted although the gate had not let it pass; empty if it had.
    """

    name: str
    version: str
    folder: str
    reason: str = field(default="", compare=False)


@dataclass(frozen=True)
class Promotion:
    """A version that became champion, in ``folder``, after ``previous`` (None if the first)."""

    version: str
    previous: str | None
    folder: Path


def champion_folder(models: Path) -> Path:
    """Folder of the champion's bundle, with links resolved.

    Read every file of one forecast from the folder returned: a promotion in between changes the
    link, never the folder.

    Raises
    ------
    NoModelError
        If no champion has been promoted, or its bundle was removed.
    """
    link = models / "champion"
    if link.is_dir():
        return link.resolve()
    if link.is_symlink():
        raise NoModelError(
            f"{link} points to {link.readlink()}, which is gone: run `afflux promote VERSION` to "
            "fetch it from the registry again (`afflux models` lists the versions)"
        )
    raise NoModelError(f"no champion in {models}: run `afflux train`, then `afflux promote`")


def digest(bundle: Path) -> str:
    """The first eight characters of the manifest's SHA-256: what is in the bundle, in short.

    It is part of a kept bundle's name because two tracking servers may both have a version 3.
    """
    return hashlib.sha256((bundle / MANIFEST).read_bytes()).hexdigest()[:8]


def find_bundle(folder: Path) -> Path:
    """The one bundle among the folders in ``folder``.

    Raises
    ------
    ModelIntegrityError
        If there is none.
    """
    for manifest in sorted(folder.glob(f"*/{MANIFEST}")):
        return manifest.parent
    raise ModelIntegrityError(
        f"what was fetched holds no model bundle (no {MANIFEST}): the champion stays as it is"
    )


@contextmanager
def incoming(models: Path) -> Iterator[Path]:
    """A scratch folder on the same disk as the bundles, removed at the end."""
    bundles = models / "bundles"
    bundles.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".incoming-", dir=bundles))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def install(
    models: Path,
    version: str,
    load: Callable[[Path], object],
    fetch: Callable[[Path], Path],
    kept: Path | None = None,
) -> Path:
    """Verify and load a bundle, then move it among the kept ones in one step; return where it is.

    ``kept`` is used if it is there; otherwise ``fetch`` brings the bundle into the folder it is
    given and says where in it.

    Raises
    ------
    ModelIntegrityError, ModelError
        If a file does not match its hash, or ``load`` fails; no kept bundle has changed.
    """
    with incoming(models) as scratch:
        bundle = kept if kept is not None and kept.is_dir() else fetch(scratch)
        try:
            verify(bundle)
            load(bundle)
        except Exception as error:
            damaged = isinstance(error, ModelIntegrityError | NoModelError)
            raise (ModelIntegrityError if damaged else ModelError)(
                f"version {version} cannot be loaded, the champion stays as it is: {error}"
            ) from error
        return bundle if bundle is kept else _keep(models, bundle, version)


def _keep(models: Path, bundle: Path, version: str) -> Path:
    kept = models / "bundles" / f"{version}-{digest(bundle)}"
    if kept.exists():
        try:
            verify(kept)
        except (ModelIntegrityError, NoModelError):
            kept.rename(bundle.with_name("damaged"))
        else:
            return kept
    bundle.rename(kept)
    return kept


def reigns(models: Path) -> list[Reign]:
    """Champions on this machine, oldest first, up to the one that ``models/champion`` names."""
    try:
        current = (models / "champion").readlink().name
        entries = [Reign(**entry) for entry in json.loads((models / "champions.json").read_text())]
    except (OSError, ValueError, TypeError):
        return []
    while entries and entries[-1].folder != current:
        entries.pop()
    return entries


def before(models: Path, name: str) -> tuple[Reign, Reign, list[Reign]]:
    """The champion before, the champion, and the history up to it.

    Raises
    ------
    NoModelError
        If there was none before, or it was of another registered model than ``name``.
    """
    history = reigns(models)
    if len(history) < 2:
        raise NoModelError(
            f"no champion before this one in {models}: `afflux models` lists the versions, "
            "`afflux promote VERSION` takes one of them"
        )
    *_, target, current = history
    if target.name != name:
        raise NoModelError(
            f"the champion before is of {target.name}, not of {name}: choose its territory with "
            "AFFLUX_CONFIG, or promote a version"
        )
    return target, current, history


def crown(models: Path, reign: Reign, history: list[Reign]) -> None:
    """Make ``reign``, an entry of ``history``, the champion.

    The history is written first and the link replaced last, each in one step. What the history
    holds after the champion is not read, so that a rollback only has to replace the link.

    Raises
    ------
    ModelError
        If ``models/champion`` is a folder that Afflux did not make.
    """
    link = models / "champion"
    if link.exists() and not link.is_symlink():
        raise ModelError(f"{link} is a folder, expected a link made by Afflux: move it away")
    with incoming(models) as scratch:
        written = scratch / "champions.json"
        written.write_text(json.dumps([asdict(entry) for entry in history], indent=1))
        new = scratch / "champion"
        new.symlink_to(Path("bundles") / reign.folder)
        written.replace(models / "champions.json")
        new.replace(link)
