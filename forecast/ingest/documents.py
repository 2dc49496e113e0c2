"""Whole files as a provider hands them over: from a URL, or dropped into a folder.

Those who own the data often send files by mail or put them on a share. Such a folder is read as a
whole in every run: the files of one period overlap, and a sum over a day must know all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from forecast.errors import ConfigError, ProviderError
from forecast.ingest.http import Client
from forecast.ingest.keyed import KeyedOptions, ask
from forecast.ingest.provider import Piece, Setting, Span
from forecast.ingest.spreadsheets import is_xlsx
from forecast.ingest.unpacking import MEMBERS, gunzip, unzip

MAX_BYTES = 64 << 20
"""Bytes that a file of a folder may have, compressed or not."""
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"


class FileOptions(KeyedOptions):
    """Where the files are: ``url``, or ``folder`` and ``glob``."""

    url: str = Field(default="", description="address of the file; or give `folder`")
    folder: str = Field(
        default="", description="absolute path of a folder in which files are put; or give `url`"
    )
    glob: str = Field(default="*", description="which files of the folder are read")
    key_header: str = Field(
        default="X-API-Key",
        pattern=r"^[A-Za-z0-9-]+$",
        description="header in which the key is sent",
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if bool(self.url) == bool(self.folder):
            raise ValueError("expected one of url and folder")
        if not self.glob or self.glob.startswith("/"):
            raise ValueError(
                f"glob is {self.glob!r}, expected a pattern within the folder, as *.csv"
            )
        if self.folder and not Path(self.folder).expanduser().is_absolute():
            raise ValueError(f"folder is {self.folder!r}, expected an absolute path")
        if self.url and not self.url.startswith(("https://", "http://")):
            raise ValueError(f"url is {self.url!r}, expected one that begins with https://")
        return self


@dataclass(frozen=True)
class Document:
    """One file, unpacked; ``name`` is what messages call it."""

    name: str
    data: bytes


def whole(span: Span) -> Iterator[Piece]:
    """The one piece of a provider whose files are always read together."""
    yield Piece("files", settled=False, since=span.since, until=span.until)


def beyond(piece: Piece, rows: int, what: str) -> list[str]:
    """A line about rows of the files whose days are not asked for; none if there are none."""
    if not rows:
        return []
    return [
        f"{what} of days outside {piece.since} to {piece.until}: {rows:,}; give --since, or raise "
        "history_days"
    ]


def ahead(span: Span, days: int, setting: Setting) -> Iterator[Piece]:
    """As :func:`whole`, with the days to come where ``span`` reaches the present day."""
    today = setting.now.tz_convert(setting.config.timezone).date()
    until = max(span.until, today + timedelta(days)) if span.until >= today else span.until
    yield from whole(Span(span.since, until))


def documents(
    options: FileOptions, client: Client, *, max_members: int = MEMBERS
) -> list[Document]:
    """The files that the options speak of, by name; those of zip archives one by one.

    Raises
    ------
    ConfigError
        If the folder does not exist, or a key is not set.
    ProviderError
        If the folder holds no such file, or a file cannot be fetched, read or unpacked.
    """
    if options.url:
        found = [Document(options.url, ask(client, options.url, options).body)]
    else:
        found = _of_folder(Path(options.folder).expanduser(), options.glob)
    return [part for document in found for part in _unpacked(document, max_members)]


def _of_folder(folder: Path, glob: str) -> list[Document]:
    if not folder.is_dir():
        raise ConfigError(f"{folder}: there is no such folder; correct key folder, or make it")
    found = []
    for path in sorted(folder.glob(glob)):
        if not path.is_file() or path.name.startswith((".", "~$")):
            continue
        try:
            if path.stat().st_size > MAX_BYTES:
                raise ProviderError(f"{path} has more than {MAX_BYTES:,} bytes; split it")
            found.append(Document(path.name, path.read_bytes()))
        except OSError as error:
            raise ProviderError(
                f"{path} cannot be read ({error.strerror or error}); check its rights"
            ) from error
    if not found:
        raise ProviderError(f"{folder} holds no file that {glob} describes; correct key glob")
    return found


def _unpacked(document: Document, max_members: int) -> list[Document]:
    name, data = document.name, document.data
    if data.startswith(_GZIP):
        name, data = name.removesuffix(".gz"), gunzip(data, name=name)
    if not data.startswith(_ZIP) or is_xlsx(data):
        return [Document(name, data)]
    members = unzip(data, max_members=max_members, name=name)
    return [Document(f"{name}/{member}", content) for member, content in sorted(members.items())]
