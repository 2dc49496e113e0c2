"""Verbs about keys: who may send files, ask for scenarios, be told of changes, read the metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from forecast.cli import context
from forecast.cli.console import note, out, print_json
from forecast.cli.data import AsJson

if TYPE_CHECKING:
    from datetime import datetime

    from forecast.serving.key_store import Key, KeyStore

keys_app = typer.Typer(no_args_is_help=True, help="The keys of the API.")

Days = Annotated[float, typer.Option(help="Days until it expires.")]
KeyId = Annotated[str, typer.Argument(help="Its id, as `afflux keys list` shows it.")]


def add_to(app: typer.Typer) -> None:
    """Register these verbs."""
    app.add_typer(keys_app, name="keys")


def _store() -> KeyStore:
    from forecast.serving.key_store import FILE, KeyStore

    return KeyStore(context.settings().publications.parent / FILE)


def _now() -> datetime:
    from datetime import UTC, datetime

    return datetime.now(UTC)


@keys_app.command()
def add(
    name: Annotated[str, typer.Argument(help="Whose it is: a service or a program, no person.")],
    scope: Annotated[
        list[str],
        typer.Option(help="What for: scenarios, webhooks, uploads or metrics; repeat for several."),
    ],
    days: Days = 365,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, once: only its SHA-256 is kept.

    Example: afflux keys add "office de tourisme" --scope scenarios --scope uploads
    """
    key, token = _store().add(name, scope, _now(), days)
    _show(key, token, as_json)


@keys_app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """The keys there are, never the tokens.

    Example: afflux keys list
    """
    now, found = _now(), _store().all()
    if as_json:
        print_json([{**_facts(key), "valid": key.valid(now)} for key in found])
        return
    table = Table(box=None, pad_edge=False)
    for title in ("id", "name", "scopes", "created", "expires"):
        table.add_column(title)
    for key in found:
        expires = key.expires_at[:10] if key.valid(now) else f"[red]{key.expires_at[:10]} (past)[/]"
        table.add_row(key.id, key.name, ", ".join(key.scopes), key.created_at[:10], expires)
    out.print(table)


@keys_app.command()
def revoke(key_id: KeyId) -> None:
    """Remove a key: the running server refuses it from its next request on.

    Example: afflux keys revoke 1f2e3d4c
    """
    key = _store().revoke(key_id)
    out.print(f"revoked {key.id} ({key.name})", markup=False)


@keys_app.command()
def rotate(
    key_id: KeyId,
    days: Days = 365,
    overlap: Annotated[float, typer.Option(help="Days for which the old one still works.")] = 7,
    as_json: AsJson = False,
) -> None:
    """Make a new key like an old one, which goes on working for a while.

    Example: afflux keys rotate 1f2e3d4c --overlap 7
    """
    key, token = _store().rotate(key_id, _now(), days, overlap)
    _show(key, token, as_json)


def _facts(key: Key) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": list(key.scopes),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
    }


def _show(key: Key, token: str, as_json: bool) -> None:
    if as_json:
        print_json({**_facts(key), "token": token})
        return
    out.print(token, soft_wrap=True, markup=False)
    note(
        f"key {key.id} ({key.name}) for {', '.join(key.scopes)} until {key.expires_at}. Keep it "
        "now: it is not shown again. Send it as `Authorization: Bearer ...`."
    )
