"""The generated documents, written from the code: ``python -m forecast.docs`` (or ``make docs``).

``docs/features.md`` is made from the sources that :func:`forecast.features.discover` finds,
``docs/commands.md`` from the command line itself; the input contract and its schemas are made by
:mod:`forecast.ingest.docs`, ``docs/sources.md`` by :mod:`forecast.ingest.provider_docs`. With
``--check`` nothing is written and the exit status is 1 if any file differs from what the code says.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer

from forecast.cli.app import app
from forecast.features import Source, discover
from forecast.ingest.docs import generated_docs
from forecast.ingest.provider_docs import sources_page
from forecast.ingest.providers import discover as discover_providers

ROOT = Path(__file__).parents[1]
"""Root of the checkout, above the package."""

_FEATURES = """
# Features

<!-- Generated from forecast/features by `make docs`; edit the sources there. -->

The columns of the feature matrix, by source. A column is named `<source>_<name>`. Every value is
computed from rows whose `available_at` is not after the question's origin; where nothing was
readable the answer is empty (NaN), never zero, unless the column says otherwise. "1" is the unit of
a number without unit; "known" means readable at the origin.

To add a source, see [adding-a-source.md](adding-a-source.md).
"""

_COMMANDS = """
# Commands

<!-- Generated from forecast/cli by `make docs`; edit the help texts there. -->

`afflux COMMAND --help` says the same in the terminal. Results go to standard output, progress and
errors to standard error. Exit status: 0 done, 1 failed, 2 bad input or usage. An error is one line;
`--debug`, anywhere on the command line, shows the traceback. `--version` prints the version.

What is done where is said by the environment: [operations.md](operations.md#the-environment).
"""


def documents() -> dict[str, str]:
    """Every generated document: its path from the root of the checkout, and its text."""
    estuary = (ROOT / "configs" / "estuaire.toml").read_text(encoding="utf-8")
    pages = {
        "docs/features.md": features_page(discover()),
        "docs/commands.md": commands_page(),
        "docs/sources.md": sources_page(discover_providers(), estuary),
    }
    return pages | generated_docs()


def features_page(sources: Sequence[Source]) -> str:
    """The text of ``docs/features.md`` for these sources."""
    columns = sum(len(source.features) for source in sources)
    names = ", ".join(f"[{s.name}](#{s.name}) ({len(s.features)})" for s in sources)
    parts = [_FEATURES, f"{columns} columns from {len(sources)} sources: {names}."]
    parts += [_source(source) for source in sources]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _source(source: Source) -> str:
    about = inspect.getdoc(inspect.getmodule(type(source))) or ""
    reads = "; ".join(
        f"{name} ({', '.join(f'`{variable}`' for variable in variables)})"
        for name, variables in source.reads.items()
    )
    rows = [
        "| column | unit | meaning | availability |",
        "|---|---|---|---|",
        *(
            f"| `{source.name}_{f.name}` | {f.unit} | {f.meaning} | {f.availability} |"
            for f in source.features
        ),
    ]
    text = about.replace(":data:", "").replace("``", "`")
    parts = [f"## {source.name}", text, f"Reads: {reads or 'nothing'}.", "\n".join(rows)]
    return "\n\n".join(parts)


def commands() -> Iterator[tuple[str, Any]]:
    """Every command of the command line: its name as typed after `afflux`, and the command."""

    def below(command: Any, name: str) -> Iterator[tuple[str, Any]]:
        verbs = getattr(command, "commands", None)
        if verbs is None:
            yield name, command
            return
        for verb, found in verbs.items():
            yield from below(found, f"{name} {verb}".strip())

    yield from below(typer.main.get_command(app), "")


def commands_page() -> str:
    """The text of ``docs/commands.md``."""
    return "\n\n".join([_COMMANDS.strip(), *(_command(n, c) for n, c in commands())]) + "\n"


def _command(name: str, command: Any) -> str:
    about, _, example = inspect.cleandoc(command.help).partition("Example:")
    rows = ["| | default | |", "|---|---|---|"]
    rows += [f"| {_names(p)} | {_default(p)} | {p.help} |" for p in command.params]
    parts = [f"## {name}", about.strip(), f"```sh\n{example.strip()}\n```"]
    return "\n\n".join(parts + ["\n".join(rows)] * (len(rows) > 2))


def _names(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.name.upper()}`"
    return ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    if parameter.default is True:
        return f"`{parameter.opts[0]}`"
    return f"`{parameter.default}`" if parameter.default not in (None, False, "") else ""


def differing(root: Path = ROOT) -> list[str]:
    """Paths of the generated documents that are absent or not what the code says."""
    return [
        path
        for path, text in documents().items()
        if not (root / path).is_file() or (root / path).read_text(encoding="utf-8") != text
    ]


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Write the documents that differ, or with ``--check`` only name them; return the exit status.

    Status 0: done, or nothing differs; 1: something differs; 2: not a checkout, or bad usage.
    """
    if list(arguments) not in ([], ["--check"]):
        sys.stderr.write("usage: python -m forecast.docs [--check]\n")
        return 2
    if not (root / "docs").is_dir():
        sys.stderr.write(f"{root / 'docs'}: not found; run this from a checkout of Afflux\n")
        return 2
    changed = differing(root)
    if arguments:
        for path in changed:
            sys.stderr.write(f"{path}: differs from the code; run `make docs`\n")
        return 1 if changed else 0
    texts = documents()
    for path in changed:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(texts[path], encoding="utf-8")
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
