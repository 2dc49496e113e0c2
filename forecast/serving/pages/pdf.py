"""The bulletin as a one-page PDF, from the same figures as the page."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from fpdf import FPDF
from fpdf.enums import TableBordersLayout, XPos, YPos
from fpdf.fonts import FontFace

from forecast.serving.pages.views import LEVEL_COLOURS, Figure

if TYPE_CHECKING:
    from forecast.serving.pages.bulletin import Bulletin
    from forecast.serving.pages.speech import Speech

_SOFT = (74, 87, 102)


def bulletin_pdf(bulletin: Bulletin) -> bytes:
    """Write a bulletin on one A4 page, landscape; the same bulletin gives the same bytes."""
    pdf = FPDF(orientation="landscape", format="A4")
    pdf.set_creation_date(bulletin.made_at)
    pdf.set_title(bulletin.title)
    pdf.set_lang(bulletin.speech.language)
    pdf.set_margin(12)
    pdf.set_auto_page_break(False)
    for style, name in (("", "DejaVuSans"), ("B", "DejaVuSans-Bold")):
        pdf.add_font("DejaVu", style, _fonts() / f"{name}.ttf")
    pdf.add_page()
    if bulletin.label:
        pdf.set_fill_color(91, 61, 138)
        pdf.set_text_color(255, 255, 255)
        _line(pdf, bulletin.label, 9, bold=True, fill=True)
        pdf.ln(1)
    pdf.set_text_color(22, 32, 44)
    pdf.set_fill_color(255, 255, 255)
    _line(pdf, bulletin.title, 15, bold=True)
    for line in bulletin.lines:
        _line(pdf, f"{line}.", 10)
    pdf.ln(1.5)
    _table(pdf, bulletin)
    pdf.ln(2)
    pdf.set_text_color(*_SOFT)
    for note in bulletin.notes:
        _line(pdf, note, 8.5)
    return bytes(pdf.output())


def _table(pdf: FPDF, bulletin: Bulletin) -> None:
    days, speech = bulletin.days, bulletin.speech
    texts = speech.texts
    pdf.set_font("DejaVu", size=9)
    widths = (40.0, *(43.0 for _ in days), 273.0 - 40.0 - 43.0 * len(days))
    with pdf.table(
        col_widths=widths,
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        headings_style=FontFace(emphasis="BOLD"),
        line_height=5,
        padding=(1.0, 1.5),
        text_align="LEFT",
    ) as table:
        heads = (texts["zone_heading"], *(speech.day(day) for day in days), texts["why"])
        row = table.row()
        for head in heads:
            row.cell(head)
        for card in bulletin.cards:
            row = table.row()
            row.cell(card.name, style=FontFace(emphasis="BOLD"))
            for day in days:
                figure = card.on(day)
                if figure is None:
                    row.cell("–")
                    continue
                back, ink = LEVEL_COLOURS[figure.level]
                row.cell(_said(figure, speech), style=FontFace(color=ink, fill_color=back))
            row.cell(card.reason)


def _said(figure: Figure, speech: Speech) -> str:
    word = figure.level_word or speech.texts["no_level_short"]
    share = f", {figure.share}" if figure.rank[0] > 0 else ""
    return f"{figure.expected} – {word}{share}\n{figure.low} – {figure.high}"


def _line(pdf: FPDF, text: str, size: float, *, bold: bool = False, fill: bool = False) -> None:
    pdf.set_font("DejaVu", "B" if bold else "", size)
    pdf.multi_cell(0, size * 0.5, text, fill=fill, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _fonts() -> Path:
    """Folder of the DejaVu fonts, which matplotlib ships: they have French's narrow spaces."""
    found = importlib.util.find_spec("matplotlib")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("matplotlib, whose fonts the PDF is set in, is not installed")
    return Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
