"""The verb that makes the bulletin to be printed or sent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forecast.cli import context
from forecast.cli.console import out, print_json
from forecast.errors import InputError

_KINDS = (".pdf", ".html")


def add_to(app: typer.Typer) -> None:
    """Register the verb."""
    app.command()(bulletin)


def bulletin(
    out_file: Annotated[
        Path, typer.Option("--out", help="File to write: .pdf to print, .html to send by mail.")
    ],
    language: Annotated[str, typer.Option(help="fr or en.")] = "fr",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Write the one-page bulletin of the coming weekend, from the publication being served.

    Example: afflux bulletin --out bulletin.pdf
    """
    from forecast.serving.pages.answers import read_answers
    from forecast.serving.pages.bulletin import Bulletin
    from forecast.serving.pages.speech import LANGUAGES
    from forecast.serving.reader import read_publication

    kind = out_file.suffix.casefold()
    if kind not in _KINDS:
        raise InputError(f"--out {out_file}: expected a file in {' or '.join(_KINDS)}")
    if language not in LANGUAGES:
        raise InputError(f"--language {language}: expected {' or '.join(LANGUAGES)}")
    context.output(out_file)
    publication = read_publication(context.settings().publications)
    answers = read_answers(publication.manifest["files"], publication.read)
    made = Bulletin.of(answers, language)
    content = made.pdf() if kind == ".pdf" else made.email()
    out_file.write_bytes(content)
    if as_json:
        print_json({"out": str(out_file), "publication": publication.name, "bytes": len(content)})
        return
    out.print(f"{out_file}: {made.title} ({len(content):,} bytes)", markup=False)
