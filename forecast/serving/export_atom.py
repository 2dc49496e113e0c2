"""Changes of level as a feed (Atom, RFC 4287), in French.

This module runs in the serving process: the standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from xml.sax.saxutils import escape

from forecast import french
from forecast.serving.listing import freshness

MEDIA_TYPE = "application/atom+xml; charset=utf-8"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def feed(answer: Mapping[str, Any]) -> bytes:
    """The feed of an answer about changes: ``metadata``, ``compared`` and ``changes``."""
    about = answer["metadata"]
    territory = about["territory"]
    title = labelled(f"Changements de niveau, {territory['name']}", about)
    author = about["attribution"] or territory["name"]
    parts = [
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" '
        'xml:lang="fr">',
        f"<id>{_urn(territory['id'], 'changes')}</id>",
        f"<title>{_xml(title)}</title>",
        f"<subtitle>{_xml(_about(about))}</subtitle>",
        f"<updated>{about['published_at']}</updated>",
        f"<author><name>{_xml(author)}</name></author>",
        '<link rel="self" type="application/atom+xml" href="changes.atom"/>',
        '<link rel="alternate" type="application/json" href="changes"/>',
        '<generator uri="https://pypi.org/project/afflux/">Afflux</generator>',
    ]
    if about["licence"]:
        parts.append(f"<rights>{_xml(about['licence'])}</rights>")
    parts += [_entry(change, about) for change in answer["changes"]]
    return "".join([*parts, "</feed>\n"]).encode()


def _entry(change: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    day = french.day_name(date.fromisoformat(change["target_date"]))
    title = f"{change['zone_name']}, {day}{french.NARROW}: {change['level']}"
    said = f"{title} (était {change['level_before']}). {change['why']}."
    title = labelled(title, about)
    facts = (change["zone_id"], change["target_date"], change["level"], about["published_at"])
    return (
        f"<entry><id>{_urn(about['territory']['id'], *facts)}</id><title>{_xml(title)}</title>"
        f"<updated>{about['published_at']}</updated>"
        f'<category term="{_xml(change["level"])}"/><content>{_xml(said)}</content></entry>'
    )


def _about(about: Mapping[str, Any]) -> str:
    """The run the feed comes from; what is a name in the API stays one."""
    told = {name: about[name] for name in ("origin", "model_version", "lake_version", "regime")}
    told |= {"sources": freshness(about), "unit": about["unit"]}
    return f"{french.NARROW}; ".join(f"{name} {value}" for name, value in told.items())


def labelled(title: str, about: Mapping[str, Any]) -> str:
    """A title that says what is simulated, once.

    >>> about = {"label": "simulé"}
    >>> labelled("Estuaire", about), labelled("Estuaire (simulé)", about)
    ('Estuaire (simulé)', 'Estuaire (simulé)')
    """
    label = about["label"]
    return title if not label or label in title else f"{title} ({label})"


def _urn(*parts: Sequence[str]) -> str:
    """An identifier that is the same wherever and whenever the same thing is said."""
    return uuid5(NAMESPACE_URL, "\n".join(["afflux", *map(str, parts)])).urn


def _xml(text: str) -> str:
    return escape(_NOT_XML.sub("", text), {'"': "&quot;"})
