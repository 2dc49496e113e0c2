"""The pages as files of a publication: made from its answers, sent like any other."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files as resources

from forecast.serving.answer_files import File
from forecast.serving.pages.answers import read_answers
from forecast.serving.pages.rendering import page_security
from forecast.serving.pages.site import site

_HTML = "text/html; charset=utf-8"
_STATIC = {
    "web/page.js": "text/javascript; charset=utf-8",
    "web/icon.svg": "image/svg+xml",
    "web/manifest.webmanifest": "application/manifest+json",
}


def page_files(files: Mapping[str, File]) -> dict[str, File]:
    """Every page, and what pages fetch, by name; to be handed to ``write_publication``."""
    answers = read_answers(files, lambda name: files[name].body)
    security = page_security()
    # Numbered: what a zone is called must not choose where a file goes.
    found = {
        f"pages/{i:04d}.html": File(html, (f"/{path}",), _HTML, lazy=path != "", headers=security)
        for i, (path, html) in enumerate(site(answers).items())
    }
    here = resources("forecast.serving")
    for path, kind in _STATIC.items():
        found[path] = File(here.joinpath(path).read_bytes(), (f"/{path}",), kind)
    worker = here.joinpath("web/sw.js").read_bytes()
    # At the root: a worker answers for what lies below its own address.
    found["web/sw.js"] = File(worker, ("/sw.js",), "text/javascript; charset=utf-8")
    return found
