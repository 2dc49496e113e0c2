"""Templates, the style sheet, and the policy that pages are sent with."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from forecast.serving.headers import page_headers, style_hash


def render(template: str, **context: Any) -> str:
    """One page as HTML; a name the template uses and ``context`` lacks is an error."""
    return _templates().get_template(template).render(style=_style(), **context)


def page_security() -> tuple[tuple[str, str], ...]:
    """Headers every page is sent with: nothing from elsewhere, no inline script or style.

    The style sheet stands in the page, known by its hash, so that the first view is one answer.
    """
    own = dict.fromkeys(
        ("script_src", "img_src", "connect_src", "manifest_src", "worker_src"), "'self'"
    )
    headers = page_headers(style_src=style_hash(_style()), **own)
    return tuple((name.decode(), value.decode()) for name, value in headers)


@cache
def _style() -> str:
    return files(__package__).joinpath("page.css").read_text(encoding="utf-8")


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
