"""What every view holds: accessible, light, still, typeset, alone, and safe."""

from __future__ import annotations

import re
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx2
import pytest
from axe_playwright_python.sync_playwright import Axe

COAST = "241400415"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
OPTIONS = {"runOnly": RULES, "resultTypes": ["violations"]}
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
MOST_BYTES, MOST_REQUESTS = 150_000, 4
WATCH_SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.shifts.push(entry.value);
}).observe({ type: "layout-shift", buffered: true });
addEventListener("securitypolicyviolation", (e) => console.error(`CSP: ${e.violatedDirective}`));
"""


def violations(page) -> list[str]:
    found = Axe().run(page, options=OPTIONS).response["violations"]
    return [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]]


@pytest.mark.parametrize(("size", "language"), [("desktop", ""), ("desktop", "en/"), ("phone", "")])
def test_axe_finds_nothing_and_nothing_sticks_out(watch, usual, views, size, language) -> None:
    page = watch(size)
    for path in views:
        page.goto(f"{usual}{language}{path}")
        assert page.locator("html").get_attribute("lang") == (language[:2] or "fr")
        assert page.evaluate(WIDE) == 0, path
        assert violations(page) == [], path


def test_the_other_palette_has_contrast_too_and_is_remembered(page, usual, keep) -> None:
    page.goto(usual)
    page.get_by_label("Couleurs pour daltoniens").check()
    keep(page)
    assert violations(page) == []
    page.goto(f"{usual}zones/{COAST}")
    assert page.get_by_label("Couleurs pour daltoniens").is_checked()
    assert violations(page) == []


def focused(page) -> str:
    return page.evaluate("(e => e.id || e.name || e.textContent.trim())(document.activeElement)")


def test_the_weekend_by_keyboard_alone(page, usual) -> None:
    page.goto(usual)
    page.keyboard.press("Tab")
    assert focused(page) == "Aller au contenu"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.id == 'main'")
    assert focused(page) == "main"
    page.keyboard.press("Tab")
    assert focused(page) == "on-0"
    page.keyboard.press("ArrowRight")
    assert page.locator("#on-1").is_checked()
    order = []
    for _ in range(14):
        page.keyboard.press("Tab")
        order.append(re.sub(r"\s+", " ", focused(page)))
    # Not the map's outlines, whose cards follow; then what changed, the table, what to take away.
    assert order[0] == "palette"
    assert [name[:1] for name in order[1:9]] == list("12345678")
    assert order[9:] == [
        "Tableau équivalent à la carte",
        "Bulletin",
        "Tableur (CSV)",
        "Agenda (iCalendar)",
        "Copier le lien de ces chiffres",
    ]
    page.locator("summary").focus()
    page.keyboard.press("Enter")
    assert page.locator("details table").first.is_visible()
    page.get_by_role("link", name="Cœur Côte Fleurie").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/zones/{COAST}")


def test_forms_and_days_by_keyboard_alone(page, usual) -> None:
    page.goto(f"{usual}essayer")
    page.get_by_label("Intercommunalité").focus()
    fields = []
    for _ in range(8):
        page.keyboard.press("Tab")
        fields.append(focused(page))
    assert fields == [
        "target_date", "temperature_max", "precipitation", "sunshine", "wind_gust",
        "event", "attendance", "key",
    ]  # fmt: skip
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator(".answer.fault").wait_for()
    page.goto(f"{usual}zones/{COAST}")
    page.locator(".strip a").nth(3).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**#day-2026-05-16")


def test_the_first_view_is_light_and_still(watch, usual) -> None:
    page = watch(worker=True)
    page.add_init_script(WATCH_SHIFTS)
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    received, requests = [], []
    session.on("Network.loadingFinished", lambda e: received.append(e["encodedDataLength"]))
    session.on("Network.requestWillBeSent", lambda e: requests.append(e["request"]["url"]))
    page.goto(usual)
    page.evaluate("navigator.serviceWorker.ready.then(() => {})")
    page.wait_for_timeout(300)
    assert len(requests) <= MOST_REQUESTS, requests
    assert 5_000 < sum(received) <= MOST_BYTES
    assert page.evaluate("window.shifts") == []


@pytest.fixture(scope="module")
def slow(usual) -> Iterator[str]:
    """The usual state over a link that lets a few hundred bytes by at a time."""

    class Relay(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection((urlsplit(usual).hostname, urlsplit(usual).port)) as far:
                # A browser also opens connections on which it never asks anything.
                if asked := self.request.recv(65536):
                    # One answer each, so that its end is the end of the connection.
                    far.sendall(asked.replace(b"keep-alive", b"close"))
                    while piece := far.recv(400):
                        with suppress(ConnectionError):
                            self.request.sendall(piece)
                        time.sleep(0.01)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Relay) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_nothing_moves_while_a_view_arrives_in_pieces(watch, slow, views, size) -> None:
    page = watch(size)
    page.add_init_script(WATCH_SHIFTS)
    for path in views:
        page.goto(f"{slow}{path}")
        page.wait_for_timeout(150)
        assert page.evaluate("window.shifts") == [], path


def test_all_is_there_at_twice_the_size(watch, usual, views, keep) -> None:
    """A window of 1366 × 768 zoomed to 200 % is one of 683 × 384."""
    page = watch(viewport={"width": 683, "height": 384}, device_scale_factor=2)
    for path in views:
        page.goto(f"{usual}{path}")
        assert page.evaluate(WIDE) == 0, path
    page.goto(usual)
    keep(page)
    cut = page.locator(".card, .card *").evaluate_all(
        "all => all.filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth)"
        ".map(e => e.textContent)"
    )
    assert cut == []


def test_motion_is_reduced_when_asked(watch, usual) -> None:
    moving, calm = watch(), watch(reduced_motion="reduce")
    for page, expected in ((moving, "0.1s"), (calm, "0s")):
        page.goto(usual)
        read = "getComputedStyle(document.querySelector('.card a')).transitionDuration"
        assert page.evaluate(read).split(",")[0] == expected


@pytest.mark.parametrize("path", ["", f"zones/{COAST}"])
def test_all_figures_are_there_without_script(watch, usual, path) -> None:
    page = watch(java_script_enabled=False)
    page.goto(f"{usual}{path}")
    assert "niveau rouge" in page.locator("main").inner_text()
    assert page.get_by_role("link", name="Tableur (CSV)").is_visible()


SPACE = re.compile(r"[ \u00a0](?=[;:!?%»])|(?<=«)[ \u00a0]")
WRONG = {
    "a space that may break or is too wide before ; : ! ? % or a quotation mark": SPACE,
    "no space before punctuation": re.compile(r"\w[;!?»%]|[^\W\d]:"),
    "a decimal point": re.compile(r"\d\.\d"),
    "a date in figures": re.compile(r"\d+/\d+"),
    "a straight apostrophe": re.compile("'"),
    "thousands that are not set apart": re.compile(r"\d{5,}"),
    "a first day that is not 1er": re.compile(r"\b1 (janvier|mai|juin|août)"),
    "a value of the program": re.compile(r"None|<built-in|\{\w+\}|nan\b"),
}
EXEMPT = re.compile(r"etalab-2\.0|RGAA 4\.1|WCAG 2\.2|Apache 2\.0|n°\u202f?\d{4}-\d+|BY 4\.0")


def test_french_is_typeset(page, usual, views) -> None:
    for path in views:
        page.goto(f"{usual}{path}")
        page.evaluate("document.querySelectorAll('details').forEach(e => (e.open = true))")
        text = EXEMPT.sub("", page.locator("body").inner_text())
        for what, pattern in WRONG.items():
            found = [text[max(0, m.start() - 20) : m.end() + 10] for m in pattern.finditer(text)]
            assert not found, (path, what, found[:3])


def test_no_page_lets_anything_else_in(usual, views) -> None:
    for path in views:
        answer = httpx2.get(f"{usual}{path}", trust_env=False)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert "set-cookie" not in answer.headers
        assert not re.search(r'\sstyle="|<script>|\son\w+="', answer.text), path


def test_a_forecast_that_is_late_says_so(watch, usual, keep) -> None:
    page = watch(now=datetime(2026, 5, 15, 8, tzinfo=UTC))
    page.goto(usual)
    band = page.locator("#overdue")
    assert band.inner_text() == (
        "Prévision établie mercredi 13 mai à 8\u00a0h\u00a000\u202f: "
        "une plus récente aurait dû paraître."
    )
    keep(page)
    page = watch()
    page.goto(usual)
    assert page.locator("#overdue").is_hidden()
