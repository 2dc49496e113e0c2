"""Telling webhooks of a publication just made: part of `publish` and of `run`."""

from __future__ import annotations

from forecast.cli import context
from forecast.cli.console import note
from forecast.settings import Settings


def tell_webhooks(settings: Settings) -> dict[str, int]:
    """Send the notices of the current publication; what could not be sent is said, never raised.

    Returns how many were delivered and how many wait for the next publication.
    """
    from forecast.serving.notices import send

    sent = send(settings, context.now().to_pydatetime())
    if sent.problem is not None:
        note(f"webhooks were not told: {sent.problem}")
    if sent.waiting:
        note(f"{sent.waiting} notices could not be delivered; they are sent again with the next")
    if sent.disabled:
        note(f"{sent.disabled} webhooks were disabled, having failed for days or being gone")
    return {"delivered": sent.delivered, "waiting": sent.waiting}
