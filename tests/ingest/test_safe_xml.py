"""XML from strangers: nothing but a tree, or a ProviderError that says why."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.errors import ProviderError
from forecast.ingest import safe_xml
from forecast.ingest.safe_xml import named, parse_xml, text_of

GOOD = b'<d:a xmlns:d="urn:d"><d:b d:id="1"> x </d:b><b xmlns="urn:e" id="2"/></d:a>'


def test_names_lose_their_namespace() -> None:
    root = parse_xml(GOOD, name="feed")
    assert root.tag == "a"
    assert [b.get("id") for b in named(root, "b")] == ["1", "2"]
    assert text_of(root, "b") == "x" and text_of(root, "c", "d") == ""


def test_a_file_of_this_machine_is_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("do not tell")
    for text in (
        f'<!DOCTYPE a [<!ENTITY x SYSTEM "{secret.as_uri()}">]><a>&x;</a>',
        f'<!DOCTYPE a SYSTEM "{secret.as_uri()}"><a/>',
        f'<!DOCTYPE a [<!ENTITY % p SYSTEM "{secret.as_uri()}"> %p;]><a/>',
    ):
        with pytest.raises(ProviderError, match="document type or entities") as error:
            parse_xml(text.encode(), name="feed")
        assert "do not tell" not in str(error.value)


def test_a_billion_laughs_are_not_laughed() -> None:
    inner = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    with pytest.raises(ProviderError, match="document type or entities"):
        parse_xml(f'<!DOCTYPE a [<!ENTITY l0 "ha">{inner}]><a>&l9;</a>'.encode(), name="feed")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "expected XML"),
        (b'{"error": true}', r"begins with b'\{"),
        (GOOD[:-5], "was cut"),
        (b"<a>" * 61, "60 deep"),
        (b"<ns2:a/>", "unbound prefix"),
        (b'<?xml version="1.0" encoding="nonsense"?><a/>', "unknown encoding"),
        (b'<?xml version="1.0" encoding="shift_jis"?><a/>', "not well-formed"),
        (b"<a>\x00</a>", "not well-formed"),
    ],
)
def test_what_is_no_xml_is_said(data: bytes, said: str) -> None:
    with pytest.raises(ProviderError, match=said):
        parse_xml(data, name="feed")


def test_size_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ProviderError, match="at most 10 are read"):
        parse_xml(GOOD, name="feed", limit=10)
    monkeypatch.setattr(safe_xml, "MAX_ELEMENTS", 100)
    assert len(parse_xml(b"<a>" + b"<b/>" * 99 + b"</a>", name="feed")) == 99
    with pytest.raises(ProviderError, match="more than 100 elements"):
        parse_xml(b"<a>" + b"<b/>" * 100 + b"</a>", name="feed")


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(alphabet="<>/ab&;![]-?\"'= ", max_size=80)))
def test_anything_gives_a_tree_or_a_provider_error(data: bytes | str) -> None:
    try:
        root = parse_xml(data.encode() if isinstance(data, str) else data, name="feed")
    except ProviderError as error:
        assert str(error).startswith("feed: ")
    else:
        assert isinstance(root.tag, str)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=3))
def test_a_damaged_document_gives_a_tree_or_a_provider_error(place: int, put: bytes) -> None:
    try:
        parse_xml(GOOD[:place] + put + GOOD[place + 1 :], name="feed")
    except ProviderError as error:
        assert str(error).startswith("feed: ")
