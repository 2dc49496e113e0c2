"""The file of keys: random tokens kept as SHA-256, with what each is good for and until when.

A token has 256 random bits, so its hash needs no salt and no slow function: there is nothing to
guess. It is shown once, when it is made. The file is replaced whole, under a lock, readable by its
owner alone; the server looks at it whenever a key is used.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from forecast.errors import AffluxError, InputError
from forecast.serving.options import SCOPES

FILE = "keys.json"
PREFIX = "afflux_"
_VERSION = 1
_NAME = re.compile(r"[\w .@-]{1,64}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Key:
    """What is known of a key; instants are UTC, ISO 8601."""

    id: str
    name: str
    sha256: str
    scopes: tuple[str, ...]
    created_at: str
    expires_at: str

    def valid(self, now: datetime) -> bool:
        """Whether it may still be used."""
        return now < datetime.fromisoformat(self.expires_at)


class KeyStore:
    """The keys of one home, in ``data/keys.json``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None
        self._keys: tuple[Key, ...] = ()

    def all(self) -> tuple[Key, ...]:
        """Every key, expired ones too; read again only when the file has changed.

        Raises
        ------
        AffluxError
            If the file is there but cannot be read: no key may then be believed.
        """
        try:
            found = self.path.stat()
            seen = (found.st_ino, found.st_mtime_ns, found.st_size)
            if seen != self._seen:
                self._keys, self._seen = _parsed(self.path.read_bytes()), seen
        except FileNotFoundError:
            self._keys, self._seen = (), None
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._seen = None
            raise AffluxError(
                f"{self.path}: cannot be read as a file of keys ({error}); restore it, or remove "
                "it and make new keys with `afflux keys add`"
            ) from error
        return self._keys

    def find(self, token: str, now: datetime) -> Key | None:
        """The valid key of a token, comparing with every key in constant time."""
        digest = _digest(token)
        found = None
        for key in self.all():
            if hmac.compare_digest(key.sha256, digest):
                found = key
        return found if found is not None and found.valid(now) else None

    def add(self, name: str, scopes: Sequence[str], now: datetime, days: float) -> tuple[Key, str]:
        """Make a key; returns what is kept and the token, which is not.

        Raises
        ------
        InputError
            If the name, a scope or the number of days cannot be used.
        """
        key, token = _made(name, scopes, now, days)
        with self._changing():
            self._write([*self.all(), key])
        return key, token

    def revoke(self, key_id: str) -> Key:
        """Remove a key at once.

        Raises
        ------
        InputError
            If there is no such key.
        """
        with self._changing():
            key = self._one(key_id)
            self._write([other for other in self.all() if other != key])
        return key

    def rotate(
        self, key_id: str, now: datetime, days: float, overlap_days: float
    ) -> tuple[Key, str]:
        """A new key like an old one, which stays valid for ``overlap_days`` more and no longer.

        Raises
        ------
        InputError
            If there is no such key, or a number of days cannot be used.
        """
        if not 0 <= overlap_days <= 90:
            raise InputError(f"an overlap of {overlap_days:g} days: expected 0 to 90")
        with self._changing():
            old = self._one(key_id)
            key, token = _made(old.name, old.scopes, now, days)
            until = min(datetime.fromisoformat(old.expires_at), now + timedelta(days=overlap_days))
            kept = [
                replace(other, expires_at=_instant(until)) if other == old else other
                for other in self.all()
            ]
            self._write([*kept, key])
        return key, token

    def _one(self, key_id: str) -> Key:
        for key in self.all():
            if key.id == key_id:
                return key
        raise InputError(f"there is no key {key_id!r}; `afflux keys list` shows them")

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Hold the lock of the file; the system lets go of it even when the writer is killed."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise AffluxError(f"{self.path}: cannot be written ({error.strerror})") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _write(self, keys: Sequence[Key]) -> None:
        text = json.dumps({"version": _VERSION, "keys": [asdict(key) for key in keys]}, indent=1)
        aside = self.path.with_suffix(".new")
        try:
            # Made anew with its mode, so that it is never readable by others.
            aside.unlink(missing_ok=True)
            descriptor = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
            aside.replace(self.path)
        except OSError as error:
            raise AffluxError(
                f"{self.path}: cannot be written ({error.strerror}); the keys are as before"
            ) from error


def _made(name: str, scopes: Sequence[str], now: datetime, days: float) -> tuple[Key, str]:
    wrong = sorted(set(scopes) - set(SCOPES))
    if wrong or not scopes:
        said = f"scope {wrong[0]!r} is unknown" if wrong else "no scope is given"
        raise InputError(f"{said}: expected one or more of {', '.join(SCOPES)}")
    if not _NAME.fullmatch(name):
        raise InputError(
            f"the name {name!r} cannot be used: expected 1 to 64 letters, digits, spaces or any "
            "of . @ - _"
        )
    if not 0 < days <= 3660:
        raise InputError(f"{days:g} days: expected more than 0 and at most 3660 (ten years)")
    token = PREFIX + secrets.token_urlsafe(32)
    key = Key(
        id=secrets.token_hex(4),
        name=name,
        sha256=_digest(token),
        scopes=tuple(dict.fromkeys(scopes)),
        created_at=_instant(now),
        expires_at=_instant(now + timedelta(days=days)),
    )
    return key, token


def _parsed(raw: bytes) -> tuple[Key, ...]:
    document = json.loads(raw)
    if document["version"] != _VERSION:
        raise ValueError(f"version {document['version']!r}, expected {_VERSION}")
    keys = tuple(Key(**{**row, "scopes": tuple(row["scopes"])}) for row in document["keys"])
    for key in keys:
        if datetime.fromisoformat(key.expires_at).tzinfo is None:
            raise ValueError(f"key {key.id}: expires_at has no time zone")
        if not _DIGEST.fullmatch(key.sha256):
            raise ValueError(f"key {key.id}: sha256 is no SHA-256")
    return keys


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _instant(value: datetime) -> str:
    return value.replace(microsecond=0).isoformat()
