"""What the page shows when something is missing: the network, a source, a zone, everything."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

COAST, HAVRE, FECAMP, ROUMOIS = "241400415", "200084952", "200069821", "200066405"


def axe(page) -> list[str]:
    return [rule["id"] for rule in Axe().run(page).response["violations"]]


def test_offline_the_last_forecast_is_shown_and_dated(watch, usual_home, serve, keep) -> None:
    server = serve(usual_home)
    try:
        page = watch(worker=True)
        page.goto(server.url)
        page.evaluate("navigator.serviceWorker.ready.then(() => {})")
        page.goto(f"{server.url}zones/{COAST}")
        assert page.locator("#offline").is_hidden()
    finally:
        server.stop()
    page.reload()
    band = "Hors ligne\u202f: prévision établie mercredi 13 mai à 8\u00a0h\u00a000."
    assert page.locator("#offline").inner_text() == band
    assert page.locator("h1").inner_text() == "Cœur Côte Fleurie"
    page.goto(f"{server.url}#2026-05-16")
    assert page.locator("#offline").inner_text() == band
    assert page.get_by_role("radio", name="samedi").is_checked()
    assert page.evaluate("scrollY") == 0
    assert axe(page) == []
    keep(page)
    # A view that was never seen leads to the one that has every figure.
    page.goto(f"{server.url}zones/{HAVRE}")
    assert page.url == server.url
    page.troubles.clear()


@pytest.mark.parametrize(
    ("path", "title", "again"),
    [
        ("", "Pas encore de prévision", "Réessayer"),
        ("en/", "No forecast yet", "Try again"),
        ("bilan", "Pas encore de prévision", "Réessayer"),
    ],
)
def test_before_the_first_publication(page, empty, path, title, again, keep) -> None:
    answer = page.goto(f"{empty}{path}")
    assert (answer.status, answer.headers["retry-after"]) == (503, "30")
    assert page.locator("h1").inner_text() == title
    assert page.locator("html").get_attribute("lang") == ("en" if path == "en/" else "fr")
    assert axe(page) == []
    with page.expect_navigation(url=f"{empty}{path}"):
        page.get_by_role("link", name=again).click()
    assert page.locator("h1").inner_text() == title
    keep(page)
    assert all("503" in trouble for trouble in page.troubles)
    page.troubles.clear()


def test_an_address_without_page(page, usual) -> None:
    assert page.goto(f"{usual}zones/123456789").status == 404
    assert page.locator("h1").inner_text() == "Page inconnue"
    assert axe(page) == []
    page.troubles.clear()
    page.get_by_role("link", name="Voir le week-end").click()
    page.wait_for_url(usual)


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_late_and_missing_sources_are_said(watch, poor, size, keep) -> None:
    page = watch(size)
    page.goto(poor)
    late = page.locator(".top .late").inner_text()
    assert late.startswith(
        "En retard\u202f: stationnement, déchets. Les fourchettes sont élargies."
    )
    assert page.locator(".band").first.inner_text().startswith("Données simulées")
    assert axe(page) == []
    keep(page, size)
    text = page.locator("main").inner_text()
    assert "Aucune donnée n’a été reçue de\u202f: mobilité, déchets." in text
    assert "stationnement\u202f: en retard de 9 envois (jusqu’au samedi 2 mai)" in text
    assert "Aucune prévision plus ancienne n’est connue." in text
    page.goto(f"{poor}sources")
    row = page.get_by_role("row", name="déchets")
    assert "aucune donnée reçue" in row.inner_text()
    assert axe(page) == []


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_a_zone_without_reference_has_numbers_and_no_level(watch, poor, size, keep) -> None:
    page = watch(size)
    page.goto(poor)
    card = page.locator(".card").filter(has_text="Roumois Seine")
    text = re.sub(r"\s+", " ", card.inner_text())
    assert "visiteurs attendus (8 chances sur 10" in text
    assert "niveau à venir : référence en construction." in text
    assert "probabilité" not in text
    assert "none" in card.get_attribute("class")
    page.goto(f"{poor}zones/{ROUMOIS}")
    assert "Aucune fréquentation passée n’est connue" in page.locator("main").inner_text()
    assert page.locator(".strip li").count() == 15
    assert axe(page) == []
    keep(page, size)


def test_a_zone_without_forecast_is_named(page, poor, keep) -> None:
    page.goto(poor)
    card = page.locator(".card").filter(has_text="Fécamp")
    assert re.sub(r"\s+", " ", card.inner_text()) == (
        "3 Fécamp Caux Littoral Agglomération · pas de prévision cette fois."
    )
    assert page.locator(".map .day:visible text").nth(2).text_content() == "3"
    assert page.locator(".total").count() == 0  # there is no honest total without it
    card.get_by_role("link").click()
    page.wait_for_url(f"{poor}zones/{FECAMP}")
    assert "pas de prévision cette fois" in page.locator("main").inner_text()
    assert axe(page) == []
    keep(page)
    page.goto(f"{poor}bulletin")
    assert "pas de prévision" in page.get_by_role("row", name="Fécamp").inner_text()


def test_without_any_past_the_record_says_so(page, poor) -> None:
    page.goto(f"{poor}bilan")
    text = page.locator("main").inner_text()
    assert "Aucune réponse passée n’est encore connue" in text
    assert page.locator("table, h2").count() == 0
    assert axe(page) == []
