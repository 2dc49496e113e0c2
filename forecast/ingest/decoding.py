"""From the bytes of a file to its text: which encoding, and what makes it unreadable."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MULTIBYTE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_SAVE = "save the file as 'CSV UTF-8'"


@dataclass(frozen=True)
class EncodingFault:
    """Why bytes cannot be read as text, and the line of the first byte at fault."""

    what: str
    advice: str
    line: int | None = None
    value: str = ""


def decode(data: bytes) -> str | EncodingFault:
    """Decode UTF-8 (with or without mark), UTF-16 or UTF-32 with a mark, or Windows-1252.

    Bytes that are valid UTF-8 are UTF-8. Others are Windows-1252, unless they also hold many valid
    UTF-8 sequences: such a file was put together from two encodings, or damaged, and is refused.

    >>> decode("é".encode("cp1252")), decode("\\ufeffé".encode("utf-8"))
    ('é', 'é')
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return data[len(mark) :].decode(encoding)
            except UnicodeDecodeError as error:
                return _fault(
                    data, error, f"the file announces {encoding.upper()} but breaks it", _SAVE
                )
    if data[:2].count(0) == 1 and data.count(0) * 3 > len(data):
        return EncodingFault(
            "the file looks like UTF-16 without a byte order mark",
            "export it as 'CSV UTF-8', or as 'Texte Unicode', which writes the mark",
            line=1,
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        valid = len(_MULTIBYTE.findall(data))
        rest = sum(byte > 0x7F for byte in _MULTIBYTE.sub(b"", data))
        if valid and rest < 10 * valid:
            return _fault(
                data, error, "the file mixes UTF-8 with another encoding, or is damaged", _SAVE
            )
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError as error:
        return _fault(data, error, "the file is neither UTF-8 nor Windows-1252", _SAVE)


def _fault(data: bytes, error: UnicodeDecodeError, what: str, advice: str) -> EncodingFault:
    line = data.count(b"\n", 0, error.start) + 1
    return EncodingFault(what, advice, line, f"byte 0x{error.object[error.start]:02x}")
