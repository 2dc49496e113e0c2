"""Try and send, from the page: a real browser, the real server and its workers, a real key.

It is the Friday of the Ascension weekend; Saturday is the 31st of May.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Page, sync_playwright

from forecast import french
from forecast.lake import Lake
from forecast.serving.key_store import KeyStore
from forecast.serving.server import command
from forecast.settings import Settings
from scripts.chromium import MISSING, chromium

DEAUVILLE = "241400415"


@dataclass(frozen=True)
class Desk:
    """A server on a home, and a key of it."""

    home: Path
    url: str
    key: str


@pytest.fixture(scope="module")
def desk(world, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("desk") / "home"
    shutil.copytree(world.home, home, symlinks=True)
    keys = KeyStore(home / "data" / "keys.json")
    _, key = keys.add("mairie", ["scenarios", "uploads"], datetime.now(UTC), 1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command("127.0.0.1", port, ""),
            env=os.environ | {"AFFLUX_HOME": str(home)},
            stdout=log,
            stderr=log,
        )
    url = f"http://127.0.0.1:{port}/"
    with httpx2.Client(transport=httpx2.HTTPTransport(retries=12), trust_env=False) as client:
        client.get(f"{url}health/live").raise_for_status()
    yield Desk(home, url, key)
    process.terminate()
    process.wait(timeout=20)


@pytest.fixture(scope="module", params=[(1366, 768), (390, 844)], ids=["desktop", "phone"])
def page(request: pytest.FixtureRequest) -> Iterator[Page]:
    width, height = request.param
    found = chromium()
    if found is None:
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found)
        opened = browser.new_page(
            viewport={"width": width, "height": height}, locale="fr-FR", has_touch=width < 500
        )
        opened.set_default_timeout(90_000)
        yield opened
        browser.close()


def keep(page: Page, name: str) -> None:
    """Keep what is seen where ``AFFLUX_SCREENSHOTS`` says, if it does; nothing sticks out of it."""
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    folder = os.environ.get("AFFLUX_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}-{width}.png")


def test_try_an_event_and_see_the_forecast_move(page: Page, desk: Desk) -> None:
    page.goto(f"{desk.url}essayer?zone_id={DEAUVILLE}&target_date=2025-05-31")
    assert page.locator("[name=target_date]").input_value() == "2025-05-31"
    page.get_by_label("Pluie (mm)").fill("25")
    page.get_by_label("Soleil (heures)").fill("0")
    page.get_by_label("Clé d’accès").fill(desk.key)
    page.get_by_role("button", name="Recalculer").click()
    table = page.locator(".answer table")
    table.wait_for()
    asked = {
        "zone_id": [DEAUVILLE],
        "from": "2025-05-31",
        "to": "2025-05-31",
        "weather": [
            {
                "zone_id": DEAUVILLE,
                "target_date": "2025-05-31",
                "precipitation": 25,
                "sunshine": 0,
            }
        ],
    }
    headers = {"authorization": f"Bearer {desk.key}"}
    answer = httpx2.post(
        f"{desk.url}v1/scenarios", json=asked, headers=headers, timeout=60, trust_env=False
    )
    (one,) = answer.raise_for_status().json()["comparisons"]
    band = one["baseline"]["interval_80"]
    step = french.rounding_step(band["low"], band["high"])
    expected = [french.rounded(one[s]["influx"]["p50"], step) for s in ("baseline", "scenario")]
    # The page and the API say the same, rounded to what the band supports.
    cells = table.locator("tbody tr").first.locator("td").all_inner_texts()
    assert cells == expected
    assert cells[0] != cells[1]
    said = page.locator(".answer p").first.inner_text()
    assert said.startswith("Cœur Côte Fleurie, samedi 31 mai\u202f: ")
    assert re.search(r"\(−[\d\u202f]+\)\.$", said), said
    assert page.locator(".answer [lang=fr]").inner_text() == one["why"]
    keep(page, "try")


def test_send_a_bad_file_then_a_good_one(page: Page, desk: Desk, tmp_path: Path) -> None:
    lake = Lake(Settings(desk.home, str(desk.home / "data" / "lake"), None).lake)
    before = lake.version()
    site = f"Plage {page.viewport_size['width']}"
    good = "zone_id,site_id,date,occupancy\n" + "".join(
        f"{DEAUVILLE},{site},2025-05-{day:02d},0.{day}\n" for day in range(10, 29)
    )
    file = tmp_path / "parkings-mai.csv"
    file.write_text(good.replace("0.15", "beaucoup"), encoding="utf-8")
    page.goto(f"{desk.url}envoyer")
    page.get_by_label("Source").select_option("parking")
    page.get_by_label("Clé d’accès").fill(desk.key)
    page.get_by_label("Fichier CSV").set_input_files(file)
    page.get_by_role("button", name="Envoyer").click()
    place = page.locator(".answer")
    place.locator("table").wait_for()
    assert "fault" in place.get_attribute("class")
    assert place.locator("p").first.inner_text().startswith("Fichier refusé, erreurs\u202f: 1.")
    heads = place.locator("thead th").all_inner_texts()
    assert heads == ["Ligne", "Colonne", "Valeur", "Problème", "Que faire"]
    row = place.locator("tbody tr").first.locator("td").all_inner_texts()
    assert row[:3] == ["7", "occupancy", "beaucoup"]
    assert row[3:] == [
        "Erreur – La cellule n'est pas un nombre\u202f; attendu\u202f: un nombre",
        "N'écrivez que des chiffres, sans unité.",
    ]
    assert "À vérifier – " in place.locator("tbody tr").nth(1).inner_text()
    assert place.locator("[lang]").count() == 0
    keep(page, "send-refused")
    file.write_text(good, encoding="utf-8")
    page.get_by_label("Fichier CSV").set_input_files(file)
    page.get_by_role("button", name="Envoyer").click()
    place.get_by_text("Fichier conforme").wait_for()
    assert lake.version() == before  # only checked
    page.get_by_label("Contrôler seulement").uncheck()
    page.get_by_role("button", name="Envoyer").click()
    place.get_by_text(re.compile("Fichier accepté.: 19 nouvelles observations")).wait_for()
    assert lake.version() > before
    assert "fault" not in place.get_attribute("class")
