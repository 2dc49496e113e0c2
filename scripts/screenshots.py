"""The README's two pictures of the page, from a demo that was published.

    python -m scripts.screenshots HOME FOLDER

Forecasts anew as of the Wednesday before Ascension, in a copy of the home that is thrown away, so
that the pictures show what the page is for. Needs Chromium (or CHROMIUM).
"""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.error import URLError

from dateutil.easter import easter
from PIL import Image
from playwright.sync_api import sync_playwright

from scripts.chromium import MISSING, chromium

MOST_BYTES = 200_000
ZONE = "241400415"
AFTER_EASTER = 39
"""From Easter to Ascension [d]."""


def main(home: Path, folder: Path) -> None:
    """Write ``page-weekend.png`` and ``page-zone.png`` in ``folder``."""
    afflux = Path(sys.executable).with_name("afflux")
    with tempfile.TemporaryDirectory(prefix="afflux-pictures-") as scratch:
        copy = Path(scratch, "home")
        shutil.copytree(home, copy, symlinks=True, ignore=shutil.ignore_patterns("publications"))
        environment = os.environ | {"AFFLUX_HOME": str(copy)}
        wednesday = _ascension(datetime.now(UTC)) - timedelta(days=1)
        for day in (wednesday - timedelta(days=1), wednesday):
            origin = f"{day:%Y-%m-%d}T08:00"
            subprocess.run([afflux, "publish", "--origin", origin], env=environment, check=True)  # noqa: S603
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = subprocess.Popen([afflux, "serve", "--port", str(port)], env=environment)  # noqa: S603
        try:
            _shoot(f"http://127.0.0.1:{port}/", folder)
        finally:
            server.terminate()
            server.wait(timeout=15)


def _ascension(now: datetime) -> datetime:
    """The last Ascension day that is three weeks past, so that a year of demo holds it."""
    for year in (now.year, now.year - 1):
        day = datetime.combine(easter(year), datetime.min.time(), UTC)
        day += timedelta(days=AFTER_EASTER)
        if day < now - timedelta(weeks=3):
            return day
    raise AssertionError("a year has one Ascension day")


def _shoot(url: str, folder: Path) -> None:
    found = chromium()
    if found is None:
        raise SystemExit(MISSING)
    _wait_for(url)
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found)
        page = browser.new_page(viewport={"width": 1366, "height": 768}, locale="fr-FR")
        for name, path in (("page-weekend", ""), ("page-zone", f"zones/{ZONE}")):
            page.goto(f"{url}{path}", wait_until="networkidle")
            picture = folder / f"{name}.png"
            with Image.open(io.BytesIO(page.screenshot())) as taken:
                # Flat colours and text: a palette loses nothing to the eye.
                taken.convert("RGB").quantize(128).save(picture, optimize=True)
            if picture.stat().st_size > MOST_BYTES:
                raise SystemExit(f"{picture}: larger than {MOST_BYTES} bytes")
        browser.close()


def _wait_for(url: str) -> None:
    for _ in range(100):
        try:
            with urllib.request.urlopen(f"{url}health/live"):  # noqa: S310
                return
        except URLError:
            time.sleep(0.1)
    raise SystemExit("the server does not answer")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
