"""XML from strangers: no entities, no external files, bounded size, and local names.

Names lose their namespace (``{http://datex2.eu/schema/2/2_0}speed`` and ``ns2:speed`` are
``speed``), because publishers of one format do not agree on it.

References
----------
https://docs.python.org/3/library/xml.html#xml-vulnerabilities
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from forecast.errors import ProviderError

MAX_BYTES = 64 << 20
MAX_ELEMENTS = 2_000_000
MAX_DEPTH = 60


class _Builder(TreeBuilder):
    """Builds the tree while counting; names lose their namespace."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = self._elements = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        """See :class:`xml.etree.ElementTree.TreeBuilder`."""
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH:
            raise _TooMuchError(f"elements are nested more than {MAX_DEPTH} deep")
        if self._elements > MAX_ELEMENTS:
            raise _TooMuchError(f"there are more than {MAX_ELEMENTS:,} elements")
        return super().start(_local(tag), {_local(name): value for name, value in attrs.items()})

    def end(self, tag: str, /) -> Element:
        """See :class:`xml.etree.ElementTree.TreeBuilder`."""
        self._depth -= 1
        return super().end(_local(tag))


class _TooMuchError(Exception):
    """The document exceeds a limit; never leaves this module."""


def parse_xml(data: bytes, *, name: str, limit: int = MAX_BYTES) -> Element:
    """The root element of a document.

    Parameters
    ----------
    data
        The whole document.
    name
        What messages call it: a URL, or a file name.
    limit
        Bytes it may have.

    Raises
    ------
    ProviderError
        If it is not well-formed XML, is cut, exceeds a limit, or declares a document type or
        entities.
    """
    if len(data) > limit:
        raise ProviderError(f"{name}: {len(data):,} bytes of XML; at most {limit:,} are read")
    parser = DefusedXMLParser(target=_Builder(), forbid_dtd=True)
    try:
        parser.feed(data)
        root = parser.close()
    except DefusedXmlException:
        raise ProviderError(
            f"{name}: the XML declares a document type or entities, which is refused: they can "
            "read files of this machine or fill its memory"
        ) from None
    except _TooMuchError as error:
        raise ProviderError(f"{name}: {error}, which no publication of this kind has") from None
    except (ParseError, LookupError, ValueError, AssertionError) as error:
        raise ProviderError(
            f"{name}: expected XML, found what is not well-formed ({error}); the answer was cut, "
            f"or is something else: it begins with {data[:60]!r}"
        ) from None
    if not isinstance(root, Element):
        raise ProviderError(f"{name}: expected XML with an element, found none")
    return root


def text_of(element: Element, *path: str) -> str:
    """Text of the first descendant by names of children, stripped; empty if there is none."""
    found: Element | None = element
    for name in path:
        found = found.find(name) if found is not None else None
    return (found.text or "").strip() if found is not None else ""


def named(root: Element, name: str) -> Iterator[Element]:
    """Every element of that name, the root included, in the order of the document."""
    return root.iter(name)


def _local(name: str) -> str:
    return name.rpartition("}")[2]
