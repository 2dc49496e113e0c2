"""The page about providers, ``docs/sources.md``, made from what each says of itself."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping

from pydantic.fields import FieldInfo

from forecast.ingest.docs import default
from forecast.ingest.provider import Options, Provider

_PAGE = """
# Where data comes from

<!-- Generated from forecast/ingest/providers by `make docs`; edit the providers there. -->

A provider is a table of territory.toml, `[providers.NAME]`. NAME is free; `kind` says which of the
kinds below it is, and may be left out where NAME is one. `afflux ingest NAME` asks one provider,
`afflux ingest --all` every one that is enabled. What is fetched is checked as files are
([input-contract.md](input-contract.md)); rows that cannot be read are reported one by one and stop
no other; what maps to no zone is counted and shown. A provider that fails or is wrongly configured
stops no other. Files can always be brought by hand instead.

**Secrets.** A key whose name ends in `_env` names an environment variable, which holds the secret
(`ECO_COUNTER_PASSWORD`, for one). The secret itself is refused in the file, within an address too
(`https://user:password@…`, `?token=…`), and is written to no log, error or state.

**Places.** Zones may be given by their id or by the INSEE code of a commune of the territory (key
`communes`); points are placed by the outlines of `geometry`.

**What was verified.** None of these services was reached while their providers were written. Each
section says what was checked against the service's own publications and what is from others' code
or from memory. A wrong guess gives an error that names it; it never gives a wrong number. **[V]**
checked in the publication itself, **[E]** read in others' code, **[M]** from memory.

**Licences.** The attribution is owed wherever the data, or a forecast made from it, is shown.
"""

_EVERY = "Keys that every provider has:"
_MEANINGS = {
    "kind": "one of the kinds of this page; the name of the table where absent",
    "enabled": "whether `afflux ingest --all` and `afflux run` ask it",
    "every_hours": "how often it is worth asking [h]; missed runs are counted from it",
    "history_days": "days before today that are fetched where `--since` does not say [d]",
}
_DEFINITION = re.compile(r"^\[providers\.\"?([^\]\"]+)\"?\]$")


def sources_page(providers: Mapping[str, Provider], estuary: str) -> str:
    """The text of ``docs/sources.md``.

    ``estuary`` is the text of ``configs/estuaire.toml``, whose tables (those in comments too) are
    the examples: they are tested to be valid.
    """
    tables = examples(estuary)
    overview = ["| kind | fills | licence | terms |", "|---|---|---|---|"]
    for kind, provider in providers.items():
        about = provider.about
        overview.append(
            f"| [{kind}](#{kind}) | {', '.join(about.sources)} | {about.licence} | {about.terms} |"
        )
    shared = ["| key | default | meaning |", "|---|---|---|"]
    shared += [_row(name, info, _MEANINGS[name]) for name, info in Options.model_fields.items()]
    parts = [_PAGE.strip(), "\n".join(overview), _EVERY, "\n".join(shared)]
    parts += [_section(provider, tables.get(kind, "")) for kind, provider in providers.items()]
    return "\n\n".join(parts) + "\n"


def examples(estuary: str) -> dict[str, str]:
    """The first table of each kind of provider, by kind; those in comments without the ``#``."""
    found: dict[str, str] = {}
    block: list[str] = []
    for line in [*estuary.splitlines(), ""]:
        bare = line.removeprefix("#").strip() if line.startswith("# ") or line == "#" else line
        bare = bare.strip()
        if not bare or bare.startswith("--") or _DEFINITION.match(bare):
            if block and (name := _DEFINITION.match(block[0])):
                text = "\n".join(block)
                kind = re.search(r'^kind = "([^"]+)"', text, flags=re.MULTILINE)
                found.setdefault(kind[1] if kind else name[1], text)
            block = []
        if block or _DEFINITION.match(bare):
            block.append(bare)
    return found


def _section(provider: Provider, example: str) -> str:
    about = provider.about
    module = inspect.getmodule(type(provider))
    text = re.sub(r":\w+:`[~]?([^`]+)`", r"`\1`", inspect.getdoc(module) or "")
    facts = [
        f"- Fills: {', '.join(about.sources)}",
        f"- Homepage: <{about.homepage}>",
        f"- Licence: {about.licence}",
        *([f"- Attribution: {about.attribution}"] if about.attribution else []),
        f"- Terms and limits: {about.terms}",
        f"- Verified: {about.verified}",
    ]
    rows = [
        _row(name, info, info.description or _MEANINGS.get(name, ""))
        for name, info in provider.options.model_fields.items()
        if name not in Options.model_fields or info.description
    ]
    table = "\n".join(["| key | default | meaning |", "|---|---|---|", *rows])
    shown = example or f"[providers.{provider.kind}]"
    parts = [f"## {provider.kind}", f"**{about.title}.**", text.replace("``", "`")]
    return "\n\n".join(
        [*parts, "\n".join(facts), f"```toml\n{shown}\n```", *([table] * bool(rows))]
    )


def _row(name: str, info: FieldInfo, meaning: str) -> str:
    return f"| `{name}` | {default(info)} | {meaning} |".replace("\n", " ")
