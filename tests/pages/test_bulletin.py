"""The bulletin says what the API says: in print, and in a message."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pypdf import PdfReader

from forecast import french
from forecast.serving.reader import Publication, read_publication


@pytest.fixture(scope="module")
def publication(usual_home: Path) -> Publication:
    return read_publication(usual_home / "data" / "publications")


def bulletin(home: Path, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("afflux"), "bulletin", "--out", out, *more],
        env=os.environ | {"AFFLUX_HOME": str(home), "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )


def figures(publication: Publication) -> list[tuple[str, ...]]:
    """Of each zone and day of the weekend what the API says, as the page rounds it."""
    found = []
    for record in json.loads(publication.read("weekend.json"))["forecasts"]:
        influx = record["influx"]
        step = french.rounding_step(influx["p10"], influx["p90"])
        numbers = (french.rounded(influx[q], step) for q in ("p50", "p10", "p90"))
        found.append((record["zone_name"], record["level"], *numbers))
    return found


def plain(text: str) -> str:
    """Without line breaks and the kinds of spaces: a column breaks words where it must."""
    return re.sub(r"\s+", " ", text.replace(french.NARROW, " ").replace("\u00a0", " "))


def test_the_printed_sheet_has_every_figure_of_the_api(
    usual_home: Path, publication: Publication, tmp_path: Path
) -> None:
    out = tmp_path / "bulletin.pdf"
    done = bulletin(usual_home, out, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["publication"] == publication.name
    pages = PdfReader(io.BytesIO(out.read_bytes())).pages
    assert len(pages) == 1
    text = plain(pages[0].extract_text())
    assert "Données simulées" in text
    assert "du vendredi 15 au dimanche 17 mai" in text
    for zone, level, median, low, high in figures(publication):
        assert plain(zone).split(" ")[0] in text
        assert f"{plain(median)} – {level}" in text
        assert f"{plain(low)} – {plain(high)}" in text
    total = json.loads(publication.read("weekend.json"))["totals"][0]["influx"]
    step = french.rounding_step(total["p10"], total["p90"])
    assert plain(french.rounded(total["p50"], step)) in text


def test_the_message_has_them_too_and_needs_nothing_from_elsewhere(
    usual_home: Path, publication: Publication, tmp_path: Path
) -> None:
    out = tmp_path / "bulletin.html"
    assert bulletin(usual_home, out, "--language", "en").returncode == 0
    html = out.read_text(encoding="utf-8")
    assert '<html lang="en">' in html
    assert not re.search(r"<script|<link|<img|src=|url\(|class=", html)
    text = plain(re.sub(r"<[^>]+>", " ", html))
    for zone, _, *numbers in figures(publication):
        assert zone in text
        assert all(number.replace(french.NARROW, ",") in text for number in numbers)


def test_the_same_publication_makes_the_same_sheet(usual_home: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one.pdf", tmp_path / "two.pdf"
    assert bulletin(usual_home, one).returncode == bulletin(usual_home, two).returncode == 0
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize(
    ("out", "more", "said"),
    [
        ("bulletin.docx", (), ".pdf or .html"),
        ("bulletin.pdf", ("--language", "de"), "fr or en"),
        ("nowhere/bulletin.pdf", (), "folder that exists"),
    ],
)
def test_what_cannot_be_made_is_said(
    usual_home: Path, tmp_path: Path, out: str, more: tuple[str, ...], said: str
) -> None:
    done = bulletin(usual_home, tmp_path / out, *more)
    assert done.returncode == 2
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_a_publication_it_says_what_to_do(tmp_path: Path) -> None:
    done = bulletin(tmp_path, tmp_path / "bulletin.pdf")
    assert done.returncode == 1
    assert "afflux publish" in done.stderr
