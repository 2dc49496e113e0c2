"""What people come to do, on a desktop and on a phone."""

from __future__ import annotations

import io
import re
from itertools import combinations

import httpx2
import pypdf
import pytest
from playwright.sync_api import expect

COAST = "241400415"
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
BOXES = (
    "all => all.map(e => e.getBoundingClientRect()).map(r => [r.left, r.top, r.right, r.bottom])"
)

both = pytest.mark.parametrize("size", ["desktop", "phone"])


@both
def test_see_the_weekend(watch, usual, size, keep) -> None:
    page = watch(size)
    page.goto(usual)
    assert page.title().startswith("Le week-end du vendredi 15 au dimanche 17 mai – ")
    cards = page.locator(".card")
    assert cards.count() == 8
    said = re.sub(r"\s+", " ", cards.nth(5).inner_text())
    assert re.match(
        r"6 Cœur Côte Fleurie · (vendredi|samedi|dimanche) : \d\d 000 visiteurs attendus "
        r"\(8 chances sur 10 : entre \d\d 000 et \d\d 000\), 2,\d fois un \w+ de mai ordinaire, "
        r"niveau rouge "
        r"\(probabilité (plus de )?\d\d %\)\.",
        said,
    ), said
    assert "Pourquoi : pont de l’Ascension +14 000" in said
    assert cards.nth(5).locator(".days li").count() == 3
    total = page.locator(".total").inner_text()
    assert "journées de visiteurs sur le week-end (8 chances sur 10" in total
    assert page.evaluate(WIDE) == 0
    shown = page.locator(".map .day:visible text")
    assert shown.count() == 8
    for label in shown.all_text_contents():
        assert re.fullmatch(r"[1-8][\d\u202f]+(vert|orange|rouge|noir)", label)
    for one, two in combinations(shown.evaluate_all(BOXES), 2):
        apart = one[0] > two[2] or two[0] > one[2] or one[1] + 4 > two[3] or two[1] + 4 > one[3]
        assert apart, "labels of the map overlap"
    keep(page, size)


def test_the_weekend_fits_one_screen(page, usual) -> None:
    page.goto(usual)
    seen = page.locator("h1, .total, .map svg, .card").evaluate_all(BOXES)
    assert len(seen) == 11
    for left, top, right, bottom in seen:
        assert left >= 0 and top >= 0 and right <= 1366 and bottom <= 768
        assert bottom > top
    # The days of a card stand on one line each.
    assert len({round(b - t) for _, t, _, b in page.locator(".days li").evaluate_all(BOXES)}) == 1


@both
def test_choose_the_day_of_the_map(watch, usual, size) -> None:
    page = watch(size)
    page.goto(usual)
    before = page.locator(".map .day:visible text").all_text_contents()
    page.get_by_role("radio", name="dimanche").check()
    assert page.locator(".map .day:visible").count() == 1
    assert page.locator(".map .day:visible text").all_text_contents() != before
    # The choice is part of the address, which can be sent to somebody.
    again = watch(size)
    again.goto(page.url)
    assert again.get_by_role("radio", name="dimanche").is_checked()


@both
def test_understand_why(watch, usual, size, keep) -> None:
    page = watch(size)
    page.goto(usual)
    page.get_by_role("link", name="Cœur Côte Fleurie").click()
    page.wait_for_url(f"**/zones/{COAST}")
    text = page.locator("main").inner_text()
    assert "Ce qui écarte la prévision du jour ordinaire" in text
    assert "fêtes et vacances" in text
    assert "Ce qui a changé depuis hier" in text
    assert re.search(r"Cœur Côte Fleurie, vendredi 15 mai.: de orange à rouge", text)
    assert re.search(r"Prévision précédente.: [\d\u202f]+.; \+[\d\u202f]+ depuis", text)
    assert re.search(r"déchets.: à jour \(jusqu’au mercredi 13 mai\)", text)
    assert page.evaluate(WIDE) == 0
    keep(page, size)


@both
def test_look_further(watch, usual, size, keep) -> None:
    page = watch(size)
    page.goto(f"{usual}zones/{COAST}")
    days = page.locator(".strip li")
    assert days.count() == 15
    assert days.first.inner_text().split("\n")[0].startswith("mer.")
    for line in ("outer", "inner", "median", "observed", "forecast"):
        assert len(page.locator(f".fan .{line}").get_attribute("d")) > 60, line
    days.nth(2).get_by_role("link").click()
    page.wait_for_url("**#day-2026-05-15")
    row = page.locator("#day-2026-05-15")
    assert row.evaluate("e => e.matches(':target')")
    assert "vendredi 15 mai" in row.inner_text()
    page.get_by_text("Tableau des semaines passées").click()
    past = page.locator("details tbody tr")
    assert past.count() == 42
    assert past.nth(5).is_visible()
    page.locator(".fan").scroll_into_view_if_needed()
    keep(page, size)


@both
def test_trust(watch, usual, size, keep) -> None:
    page = watch(size)
    page.goto(usual)
    page.get_by_role("link", name="Fiabilité").click()
    text = page.locator("main").inner_text()
    held = re.search(r"tenues\s+(\d+)\u202f%\s+visé.: 80\u202f%", text)
    assert held and 60 <= int(held[1]) <= 95
    assert re.search(r"contre [12]\d\u202f% pour la règle simple", text)
    assert "viennent d’un rejeu" in text
    keep(page, size)
    page.get_by_role("link", name="du vendredi 1er au dimanche 3 mai").click()
    page.wait_for_url("**/bilan/2026-05-01")
    rows = page.locator("tbody tr")
    assert rows.count() == 8 * 3
    assert re.search(r"a tenu \d+ fois sur 24", page.locator("main").inner_text())
    assert page.evaluate(WIDE) == 0


@both
def test_try_without_a_key_says_what_is_needed(watch, usual, size, keep) -> None:
    page = watch(size)
    page.goto(f"{usual}zones/{COAST}")
    page.get_by_role("link", name="Essayer une autre météo").click()
    expect(page.get_by_label("Intercommunalité")).to_have_value(COAST)
    answer = page.locator(".answer")
    page.get_by_role("button", name="Recalculer").click()
    answer.get_by_text("Changez la météo ou ajoutez un événement.").wait_for()
    page.get_by_label("Pluie (mm)").fill("20")
    page.get_by_role("button", name="Recalculer").click()
    answer.get_by_text("afflux keys add").wait_for()
    assert "fault" in answer.get_attribute("class")
    keep(page, size)
    assert all("401" in trouble for trouble in page.troubles)
    page.troubles.clear()


@both
def test_take_the_figures_away(watch, usual, size, keep) -> None:
    page = watch(size, permissions=["clipboard-read", "clipboard-write"])
    page.goto(usual)
    for name, start in (("Tableur (CSV)", "\ufeffzone_id;"), ("Agenda", "BEGIN:VCALENDAR")):
        link = page.get_by_role("link", name=name).evaluate("e => e.href")
        answer = httpx2.get(link, trust_env=False)
        assert answer.status_code == 200
        assert answer.text.startswith(start), answer.text[:40]
    page.get_by_role("button", name="Copier le lien").click()
    page.get_by_role("button", name="Lien copié").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == usual
    page.locator(".take").get_by_role("link", name="Bulletin").click()
    page.get_by_role("button", name="Imprimer").wait_for()
    assert page.evaluate(WIDE) == 0
    keep(page, size)


def test_the_bulletin_prints_on_one_page(page, usual, tmp_path) -> None:
    page.goto(f"{usual}bulletin")
    printed = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    assert len(printed.pages) == 1
    text = printed.pages[0].extract_text()
    assert "Cœur Côte Fleurie" in text and "Roumois Seine" in text
    assert "Imprimer" not in text


@both
def test_send_without_a_key_says_what_is_needed(watch, usual, size, tmp_path) -> None:
    file = tmp_path / "mai.csv"
    file.write_text("zone_id,date,tonnage\n")
    page = watch(size)
    page.goto(f"{usual}envoyer")
    page.get_by_label("Fichier CSV").set_input_files(file)
    page.get_by_role("button", name="Envoyer").click()
    page.locator(".answer.fault").get_by_text("afflux keys add").wait_for()
    page.troubles.clear()


@pytest.mark.parametrize("path", ["", f"zones/{COAST}", "bilan"])
def test_the_english_switch_keeps_the_view(page, usual, path) -> None:
    page.goto(f"{usual}{path}")
    page.get_by_role("link", name="English").click()
    page.wait_for_url(f"{usual}en/{path}")
    assert page.locator("html").get_attribute("lang") == "en"
    page.get_by_role("link", name="Français").click()
    page.wait_for_url(f"{usual}{path}")
