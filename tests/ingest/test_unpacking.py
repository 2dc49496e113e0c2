"""Archives: what they hold, and what they must not do."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.errors import ProviderError
from forecast.ingest.unpacking import gunzip, unzip


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    store = io.BytesIO()
    with zipfile.ZipFile(store, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return store.getvalue()


GZ = gzip.compress(b"date;tonnage\n" * 20, mtime=0)  # its bytes name tests: the same in each worker
ZIP = zipped({"a.csv": b"date;tonnage\n" * 20, "d/b.csv": b"x", "d/": b""})

Edited = Callable[[bytes, list[tuple[int, int]]], bytes]
EDITS = st.lists(st.tuples(st.integers(0, 9999), st.integers(0, 255)), min_size=1, max_size=6)


def test_gzip_is_unpacked_with_several_members_and_padding() -> None:
    assert gunzip(GZ) == b"date;tonnage\n" * 20
    assert gunzip(gzip.compress(b"a") + gzip.compress(b"b") + b"\0" * 9) == b"ab"
    assert gunzip(gzip.compress(b"")) == b""
    assert gunzip(gzip.compress(b"abc"), limit=3) == b"abc"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is cut"),
        (b"date;tonnage\n", "not gzip"),
        (GZ[:-4], "is cut"),
        (GZ[:-8] + b"\0" * 8, "damaged"),
        (GZ + b"rest", "damaged"),
        (zlib.compress(b"x"), "not gzip"),
    ],
)
def test_what_is_no_whole_gzip_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(ProviderError, match=f"^f.gz .*{said}"):
        gunzip(data, name="f.gz")


def test_a_gzip_bomb_stops_at_the_limit() -> None:
    bomb = gzip.compress(bytes(50 << 20))
    assert len(bomb) < 60_000
    with pytest.raises(ProviderError, match="more than 1,000,000 bytes"):
        gunzip(bomb, 1_000_000)
    many = gzip.compress(b"x" * 600) * 3
    with pytest.raises(ProviderError, match="more than 1,000 bytes"):
        gunzip(many, 1000)


def test_zip_is_unpacked_without_its_folders() -> None:
    assert unzip(ZIP) == {"a.csv": b"date;tonnage\n" * 20, "d/b.csv": b"x"}
    assert unzip(zipped({})) == {}
    assert unzip(zipped({"é.csv": b"1"}, zipfile.ZIP_STORED)) == {"é.csv": b"1"}


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/x", "C:/x", "a\\..\\x", "\\x"])
def test_names_that_lead_outside_are_refused(name: str) -> None:
    with pytest.raises(ProviderError, match="stays within the archive"):
        unzip(zipped({name: b"x"}))


def test_a_file_without_a_name_is_refused() -> None:
    with pytest.raises(ProviderError, match="stays within the archive"):
        unzip(zipped({"?": b"x"}).replace(b"?", b"\0"))


def test_a_link_is_no_file() -> None:
    store, info = io.BytesIO(), zipfile.ZipInfo("x")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(store, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(ProviderError, match="'x' is a link"):
        unzip(store.getvalue())


def test_two_files_of_one_name_are_refused() -> None:
    store = io.BytesIO()
    with zipfile.ZipFile(store, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("x", "1")
        archive.writestr("x", "2")
    with pytest.raises(ProviderError, match="two files named 'x'"):
        unzip(store.getvalue())


def test_encrypted_and_odd_methods_are_refused() -> None:
    locked = bytearray(zipped({"x": b"secret"}))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(mark) + place] |= 1
    with pytest.raises(ProviderError, match="'x' is encrypted"):
        unzip(bytes(locked))
    with pytest.raises(ProviderError, match="method 12, expected deflate"):
        unzip(zipped({"x": b"1"}, zipfile.ZIP_BZIP2))


def test_zip_bombs_stop_at_the_limits() -> None:
    bomb = zipped({f"{n}": bytes(1 << 20) for n in range(8)})
    with pytest.raises(ProviderError, match="more than 3,000,000 bytes"):
        unzip(bomb, 3_000_000)
    with pytest.raises(ProviderError, match="holds 8 files, expected at most 7"):
        unzip(bomb, max_members=7)
    with pytest.raises(ProviderError, match="more than 7 files"):
        unzip(zipped({f"{n}": b"" for n in range(200)}), max_members=7)


def test_sizes_that_an_archive_claims_are_not_believed() -> None:
    liar = bytearray(zipped({"x": bytes(1 << 20)}))
    for mark, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = liar.index(mark) + place
        liar[at : at + 4] = struct.pack("<I", 10)
    with pytest.raises(ProviderError, match="damaged"):
        unzip(bytes(liar), 1000)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_unpacked_or_refused(data: bytes) -> None:
    for unpack, start in ((gunzip, b"\x1f\x8b\x08\0\0\0\0\0\0\3"), (unzip, b"PK\x03\x04")):
        for given_bytes in (data, start + data):
            try:
                unpack(given_bytes, 10_000)
            except ProviderError as error:
                assert "the " in str(error)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([(gunzip, GZ), (unzip, ZIP)]), EDITS)
def test_mutated_archives_are_unpacked_or_refused(
    edited: Edited, case, edits: list[tuple[int, int]]
) -> None:
    unpack, whole = case
    with suppress(ProviderError):
        unpack(edited(whole, edits), 100_000)
