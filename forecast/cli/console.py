"""What the commands print: results to standard output, progress and errors to standard error."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from datetime import time as time_of_day
from typing import Any

from rich.console import Console
from rich.markup import escape

out = Console(highlight=False)
"""Results: what a pipe or a file receives."""

err = Console(stderr=True, highlight=False)
"""Progress and errors."""


def complain(message: str) -> None:
    """Print an error, one line, without wrapping."""
    err.print(f"[bold red]afflux:[/] {escape(message)}", soft_wrap=True)


def note(message: str) -> None:
    """Print a remark beside the result."""
    err.print(f"[yellow]{escape(message)}[/]", soft_wrap=True)


def print_json(value: Any) -> None:
    """Print one JSON document for a machine; instants and dates as ISO 8601."""
    text = json.dumps(_plain(value), ensure_ascii=False, allow_nan=False, indent=1)
    out.print(text, soft_wrap=True, markup=False)


def _plain(value: Any) -> Any:
    """What JSON can say: no NaN but null, a civil day without its midnight, the rest as text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if hasattr(value, "item"):
        return _plain(value.item())  # a numpy number
    if isinstance(value, datetime):
        is_day = value.tzinfo is None and value.time() == time_of_day.min
        return value.date().isoformat() if is_day else value.isoformat()
    return str(value)


class Steps:
    """Says what is being done and how long each step took."""

    def __init__(self) -> None:
        self.times: dict[str, float] = {}

    @contextmanager
    def step(self, title: str) -> Iterator[Any]:
        """Announce a step, yield a function that tells its progress, and print its duration."""
        start = time.monotonic()
        with err.status(f"{title} …") as status:

            def say(message: str) -> None:
                elapsed = time.monotonic() - start
                status.update(f"{title} … {message}")
                if not err.is_terminal:
                    err.print(f"  {title}: {message} ({elapsed:.0f} s)", soft_wrap=True)

            yield say
        self.times[title] = time.monotonic() - start
        err.print(f"[green]✓[/] {title} [dim]{self.times[title]:.1f} s[/]", soft_wrap=True)
