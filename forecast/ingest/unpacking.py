"""Compressed bytes unpacked in memory, under limits: gzip and zip.

Nothing is written to disk, and nothing is unpacked beyond the limits, whatever an archive says of
its own sizes: those are claims. Everything that is wrong is a
:class:`~forecast.errors.ProviderError`, never another exception.

References
----------
RFC 1952 (gzip), https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT (zip).
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib

from forecast.errors import ProviderError

LIMIT = 256 << 20
"""Bytes that an archive may unpack to, all its members together."""
MEMBERS = 1000
"""Files that a zip archive may hold."""

_CHUNK = 1 << 20
_GZIP = 31
"""zlib's window bits for a stream with a gzip header and checksum."""
_CENTRAL = b"PK\x01\x02"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    OverflowError,
    RuntimeError,  # NotImplementedError is one: a later version of the format
    ValueError,  # UnicodeDecodeError is one: a name that is no text
)


def gunzip(data: bytes, limit: int = LIMIT, *, name: str = "the gzip data") -> bytes:
    """Unpack gzip, several members one after the other included.

    Parameters
    ----------
    data
        The whole file.
    limit
        Bytes it may unpack to.
    name
        What messages call it: a file name, or a URL.

    Raises
    ------
    ProviderError
        If it is not gzip, is cut or damaged, or unpacks to more than ``limit``.
    """
    parts: list[bytes] = []
    room, rest = limit, data
    while True:
        unpacker = zlib.decompressobj(wbits=_GZIP)
        while not unpacker.eof:
            try:
                part = unpacker.decompress(rest, min(_CHUNK, room + 1))
            except zlib.error as error:
                what = "is damaged" if parts else "is not gzip, or damaged"
                raise ProviderError(f"{name} {what} ({error}); fetch it again") from error
            room -= len(part)
            if room < 0:
                raise ProviderError(_too_large(name, limit))
            if not part and not unpacker.eof:
                raise ProviderError(f"{name} is cut: gzip stops before its end; fetch it again")
            parts.append(part)
            rest = unpacker.unconsumed_tail
        # Tapes and some servers pad with zeros; gzip itself ignores them.
        rest = unpacker.unused_data.lstrip(b"\0")
        if not rest:
            return b"".join(parts)


def unzip(
    data: bytes,
    limit: int = LIMIT,
    max_members: int = MEMBERS,
    *,
    name: str = "the zip archive",
) -> dict[str, bytes]:
    """Unpack the files of a zip archive, by their names in it; folders are left out.

    Raises
    ------
    ProviderError
        If it is not a zip archive, is damaged, encrypted or packed by another method than
        deflate; if it holds a link, a name that leads outside the archive or two files of one
        name; if it holds more than ``max_members`` files or unpacks to more than ``limit`` bytes.
    """
    # Reading the directory costs memory for every entry: count them roughly before. Archives
    # stored within the archive may add to the count, hence the factor.
    if data.count(_CENTRAL) > 20 * max_members:
        raise ProviderError(f"{name} holds more than {max_members:,} files")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            # Not `is_dir()`, which fails on a file without a name.
            members = [info for info in archive.infolist() if not info.filename.endswith("/")]
            if len(members) > max_members:
                raise ProviderError(
                    f"{name} holds {len(members):,} files, expected at most {max_members:,}"
                )
            found: dict[str, bytes] = {}
            room = limit
            for info in members:
                _check(info, found, name)
                with archive.open(info) as member:
                    found[info.filename] = member.read(room + 1)
                room -= len(found[info.filename])
                if room < 0:
                    raise ProviderError(_too_large(name, limit))
    except _BROKEN as error:
        raise ProviderError(
            f"{name} is not a zip archive, or damaged ({error}); fetch it again"
        ) from error
    return found


def _check(info: zipfile.ZipInfo, found: dict[str, bytes], name: str) -> None:
    """Refuse a member that cannot be read or that tries to be something else than a file."""
    member = info.filename
    parts = member.replace("\\", "/").split("/")
    if member in found:
        raise ProviderError(f"{name} holds two files named {member[:80]!r}")
    if ".." in parts or parts[0] == "" or ":" in parts[0] or info.orig_filename.count("\0"):
        raise ProviderError(
            f"{name} holds a file named {info.orig_filename[:80]!r}, expected a name that stays "
            "within the archive"
        )
    if stat.S_ISLNK(info.external_attr >> 16):
        raise ProviderError(f"{name}: {member[:80]!r} is a link, expected a file")
    if info.flag_bits & 0x1:
        raise ProviderError(
            f"{name}: {member[:80]!r} is encrypted; ask for the archive without password"
        )
    if info.compress_type not in _METHODS:
        raise ProviderError(
            f"{name}: {member[:80]!r} is packed by method {info.compress_type}, expected deflate; "
            "pack the archive as an ordinary zip"
        )


def _too_large(name: str, limit: int) -> str:
    return (
        f"{name} unpacks to more than {limit:,} bytes; if this is right, ask for it in smaller "
        "pieces"
    )
