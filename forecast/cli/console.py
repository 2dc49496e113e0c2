"""What the commands print: results to standard output, progress and errors to standard error."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape

out = Console(highlight=False, soft_wrap=False)
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
    out.print(
        json.dumps(value, ensure_ascii=False, default=str, indent=1), soft_wrap=True, markup=False
    )


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
