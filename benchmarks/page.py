"""The page's first view on a slow 3G link, in a real Chromium.

``python -m benchmarks.page --home FOLDER``, where FOLDER is a home with a publication (`afflux demo
--no-serve` makes one). Chromium is the one `CHROMIUM` names, or found on the path. The last line
printed is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import threading
import time
from pathlib import Path
from queue import Queue
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from benchmarks.keeping import keep, machine
from benchmarks.scenarios import served
from scripts.chromium import MISSING, chromium

TRIP_SECONDS, BYTES_PER_SECOND = 0.4, 400_000 / 8
"""Slow 3G as browsers' developer tools have it: 400 ms there and back, 400 kbit/s each way."""
LIMIT_SECONDS = 1.0
MEASURED = """() => {
  const [page] = performance.getEntriesByType("navigation");
  const paint = performance.getEntriesByName("first-contentful-paint")[0].startTime;
  const files = [page, ...performance.getEntriesByType("resource")];
  const since = (time) => (time - page.responseStart) / 1000;
  return {
    painted: since(paint),
    whole: since(page.domInteractive),
    scripted: since(page.domContentLoadedEventEnd),
    requests: files.length,
    bytes: files.reduce((sum, file) => sum + file.transferSize, 0),
    shift: window.shifted,
  };
}"""
WATCH = """window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });"""


class Way:
    """One direction of the link: what is sent arrives half a trip later, one byte after another."""

    def __init__(self) -> None:
        self._free = 0.0

    async def carry(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        """Deliver, when a link that all connections share would have."""
        now = time.monotonic()
        self._free = max(now, self._free) + len(data) / BYTES_PER_SECOND
        await asyncio.sleep(self._free - now + TRIP_SECONDS / 2)
        writer.write(data)
        await writer.drain()


async def relay(port: int, ready: Queue[int]) -> None:
    """A slow link to a port of this machine; throttling in the browser would not delay headers."""
    up, down = Way(), Way()

    async def pump(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way, wait: float
    ) -> None:
        await asyncio.sleep(wait)
        pieces: asyncio.Queue[asyncio.Task[None] | None] = asyncio.Queue()

        async def deliver() -> None:
            while (piece := await pieces.get()) is not None:
                await piece
            writer.close()

        sender = asyncio.create_task(deliver())
        # As packets come; a piece leaves before the one ahead of it has arrived.
        while data := await reader.read(1400):
            pieces.put_nowait(asyncio.create_task(way.carry(data, writer)))
        pieces.put_nowait(None)
        await sender

    async def link(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, there = await asyncio.open_connection("127.0.0.1", port)
        # A connection is open for its maker one trip after it was asked for.
        ways = (pump(reader, there, up, TRIP_SECONDS), pump(back, writer, down, 0.0))
        await asyncio.gather(*ways, return_exceptions=True)

    server = await asyncio.start_server(link, "127.0.0.1", 0)
    ready.put(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def visit(browser: Browser, base: str) -> dict[str, Any]:
    """One first visit, nothing in the cache: seconds after the first byte, bytes, layout shift."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="fr-FR")
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(base + "/", wait_until="load")
    page.wait_for_timeout(500)
    found: dict[str, Any] = page.evaluate(MEASURED)
    context.close()
    return found


def main() -> int:
    """Measure, print, and end with one JSON object."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="a home with a publication")
    parser.add_argument("--times", type=int, default=9, help="first visits")
    parser.add_argument("--save", action="store_true", help="keep the figures in results/page.md")
    given = parser.parse_args()
    program = chromium()
    if program is None:
        print(MISSING, file=sys.stderr)
        return 2
    where = machine()
    with served(given.home) as near, sync_playwright() as playwright:
        ready: Queue[int] = Queue()
        port = int(near.rpartition(":")[2])
        threading.Thread(target=lambda: asyncio.run(relay(port, ready)), daemon=True).start()
        base = f"http://127.0.0.1:{ready.get(timeout=10)}"
        browser = playwright.chromium.launch(executable_path=program)
        visit(browser, base)
        visits = [visit(browser, base) for _ in range(given.times)]
        browser.close()
    seconds = {
        name: {
            "median": round(statistics.median(one[name] for one in visits), 2),
            "worst": round(max(one[name] for one in visits), 2),
        }
        for name in ("painted", "whole", "scripted")
    }
    last = visits[-1]
    lines = [
        f"{name:<9} {found['median']:.2f} s after the first byte, worst {found['worst']:.2f}"
        for name, found in seconds.items()
    ]
    lines.append(
        f"{last['requests']} requests, {last['bytes']:,} bytes, layout shift {last['shift']:.3f}"
    )
    print(*lines, sep="\n")
    summary = {
        "benchmark": "page",
        "seconds_after_first_byte": seconds,
        "painted_over_limit": round(seconds["painted"]["median"] / LIMIT_SECONDS, 2),
        "scripted_over_limit": round(seconds["scripted"]["median"] / LIMIT_SECONDS, 2),
        "requests": last["requests"],
        "bytes": last["bytes"],
        "layout_shift": last["shift"],
        "machine": where,
    }
    last_line = json.dumps(summary)
    if given.save:
        keep(
            "page",
            "# The page over a slow link\n\nWritten by `python -m benchmarks.page --home HOME "
            f"--save`: {given.times} first visits over 400 kbit/s and 400 ms. Figures, links and "
            "the days of the map need no script; what-ifs, uploads and the notice of a lost "
            "connection do.",
            "\n".join(lines),
            last_line,
        )
    print(last_line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
