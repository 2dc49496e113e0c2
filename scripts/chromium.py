"""Where headless Chromium is: for the README's pictures, the benchmark of the page, the tests."""

from __future__ import annotations

import os
import shutil

MISSING = "no Chromium: install it, or say in CHROMIUM where it is"


def chromium() -> str | None:
    """The program that ``CHROMIUM`` names, or one on the path; None if there is none."""
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)
