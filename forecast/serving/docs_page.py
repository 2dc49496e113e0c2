"""The documentation page, written from the OpenAPI document: no script, no other host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from forecast.serving.headers import RawHeaders, page_headers, style_hash
from forecast.serving.problems import KINDS

_STYLE = files("forecast.serving").joinpath("web/docs.css")
_DAY = date(2026, 7, 3)  # A Friday, for examples; nothing depends on it.


@cache
def _style() -> str:
    return _STYLE.read_text(encoding="utf-8")


def docs_security() -> RawHeaders:
    """The headers the page is sent with: its own style sheet, by its hash, and nothing else."""
    return page_headers(style_src=style_hash(_style()))


def docs_page(document: dict[str, Any], root_path: str = "") -> str:
    """An HTML page that lists routes, parameters, fields, examples and problems.

    ``document`` is an OpenAPI 3.1 document; ``root_path`` stands before every path.
    """
    info = document["info"]
    shapes = document["components"]["schemas"]
    operations = [
        (f"{method.upper()} {path}", operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    contents = "".join(
        f'<li><a href="#{escape(operation["operationId"])}"><code>{escape(asked)}</code></a> '
        f"{escape(operation['summary'])}</li>"
        for asked, operation in operations
    )
    sections = "".join(
        _section(asked, operation, shapes, root_path) for asked, operation in operations
    )
    problems = "".join(
        f'<tr id="{kind.slug}"><td><code>{kind.slug}</code></td><td>{kind.status}</td>'
        f"<td>{escape(kind.title)}. {escape(kind.remedy)}</td></tr>"
        for kind in KINDS
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])} API</title><style>{_style()}</style></head><body>"
        f"<h1>{escape(info['title'])} API <small>{escape(info['version'])}</small></h1>"
        f"<p>{escape(info['description'])}</p>"
        f'<p>For programs: <a href="{escape(root_path)}/openapi.json">openapi.json</a> '
        f"(OpenAPI {escape(document['openapi'])}).</p>"
        f"<nav><ul>{contents}</ul></nav><main>{sections}"
        '<h2 id="problems">Problems</h2><p>Every error is <code>application/problem+json</code> '
        "(RFC 9457) with type, title, status, detail, instance and errors.</p>"
        f"<table><tr><th>type</th><th>status</th><th>what to do</th></tr>{problems}</table>"
        "</main></body></html>\n"
    )


def _section(asked: str, operation: dict[str, Any], shapes: dict[str, Any], root_path: str) -> str:
    parameters = "".join(
        f"<tr><td><code>{escape(p['name'])}</code></td><td>{escape(p['in'])}"
        f"{', required' if p.get('required') else ''}</td>"
        f"<td>{escape(p.get('description', ''))}</td></tr>"
        for p in operation.get("parameters", [])
    )
    if parameters:
        parameters = f"<h3>Parameters</h3><table>{parameters}</table>"
    done = next(r for status, r in operation["responses"].items() if status < "300")
    shape = done.get("content", {}).get("application/json", {}).get("schema", {})
    fields = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(kind)}</td>"
        f"<td>{escape(meaning)}</td></tr>"
        for name, kind, meaning in _fields(shape, shapes)
    )
    example = json.dumps(_example(shape, shapes), ensure_ascii=False, indent=2)
    statuses = ", ".join(
        f"{status} {escape(response['description'])}"
        for status, response in sorted(operation["responses"].items())
        if status >= "300"
    )
    method, _, path = asked.partition(" ")
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", str(_example(parameter, shapes)))
    url = escape(f"http://localhost:8000{root_path}{path}")
    command = "curl --compressed" if method == "GET" else f"curl -X {method}"
    if "security" in operation:
        command += ' -H "Authorization: Bearer $AFFLUX_KEY"'
    return (
        f'<section><h2 id="{escape(operation["operationId"])}"><code>{escape(asked)}</code></h2>'
        f"<p>{escape(operation['summary'])}. {escape(operation.get('description', ''))}</p>"
        f"<pre>{escape(command)} {url}</pre>{parameters}"
        f"<details><summary>Fields of the answer</summary><table>{fields}</table></details>"
        f"<details><summary>Example</summary><pre>{escape(example)}</pre></details>"
        f"<p>Other statuses: {statuses or 'none'}.</p></section>"
    )


def _resolved(shape: dict[str, Any], shapes: dict[str, Any]) -> dict[str, Any]:
    """The schema itself: references followed, and the real one of "or null"."""
    if "$ref" in shape:
        return _resolved(shapes[shape["$ref"].rpartition("/")[2]], shapes)
    if "anyOf" in shape:
        return _resolved(next(s for s in shape["anyOf"] if s.get("type") != "null"), shapes)
    return shape


def _fields(
    shape: dict[str, Any], shapes: dict[str, Any], prefix: str = ""
) -> Iterator[tuple[str, str, str]]:
    for name, field in _resolved(shape, shapes).get("properties", {}).items():
        inner = _resolved(field, shapes)
        many = inner.get("type") == "array"
        if many:
            inner = _resolved(inner["items"], shapes)
        kind = inner.get("format") or inner.get("type", "any")
        null = any(s.get("type") == "null" for s in field.get("anyOf", []))
        label = f"{'list of ' if many else ''}{kind}{' or null' if null else ''}"
        yield f"{prefix}{name}", label, field.get("description", "")
        yield from _fields(inner, shapes, f"{prefix}{name}{'[]' if many else ''}.")


def _example(shape: dict[str, Any], shapes: dict[str, Any]) -> Any:
    """A value of the right shape: given examples first, else something plausible."""
    if "examples" in shape:
        return shape["examples"][0]
    inner = _resolved(shape, shapes)
    if "enum" in inner or "const" in inner:
        return inner.get("const", inner.get("enum", [None])[0])
    if inner.get("type") == "object":
        return {
            name: _example(field, shapes) for name, field in inner.get("properties", {}).items()
        }
    if inner.get("type") == "array":
        return [_example(inner["items"], shapes)]
    plain = {"integer": 1, "number": 1.0, "boolean": False, "string": "…"}
    formats = {"date": f"{_DAY}", "date-time": f"{_DAY}T06:00:00Z"}
    return formats.get(inner.get("format", ""), plain.get(inner.get("type", "")))
