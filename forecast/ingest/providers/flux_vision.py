"""Influx: Flux Vision Tourisme exports, nights of tourists plus day trippers, from a folder.

Columns ``Date;ZoneObservation;Provenance;CategorieVisiteur;Volume``, and ``NomDepartement`` or
``Pays`` in the detailed files; names of files contain ``nuitee`` or ``journee`` [E]. The labels of
categories and provenances are [M]: they are options, and a label that no option names is refused.

The influx of a zone on a day is the nights of its tourists plus its day trippers; residents and
people usually present are left out. The operator gives nothing below 20 persons, so a volume from
1 to 19 is not as delivered; a zero in a whole zone, or in an area whose median day has a hundred or
more, is a failure of the delivery, never a measurement: a zone and day with either is left out and
reported. The detailed files give the shares of the origins: the note of the run holds them, ready
for ``origin_markets``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import ClassVar, cast

import pandas as pd
from pydantic import Field

from forecast.errors import ProviderError
from forecast.ingest.documents import FileOptions, beyond, documents, whole
from forecast.ingest.facts import facts
from forecast.ingest.http import Client
from forecast.ingest.origins import Market, market, snippet
from forecast.ingest.place import Place
from forecast.ingest.presence import DETAIL, EXPORT, Labels, daily, once, presence
from forecast.ingest.provider import About, Batch, Options, Piece, Setting, Span
from forecast.ingest.raw import fold
from forecast.ingest.report import Findings
from forecast.ingest.tabular import EVERY_ROW, read_table, refused


class FluxVisionOptions(FileOptions):
    """Where the exports are, what their labels mean, and which zone each area is."""

    zones: dict[str, str] = Field(
        default_factory=dict,
        description="zone or commune of each ZoneObservation; by default the zone of that name",
    )
    nights: str = Field(default="nuitee", description="what names of files of nights contain")
    days: str = Field(default="journee", description="what names of files of days contain")
    night_categories: tuple[str, ...] = Field(
        default=("TOURISTE",), description="categories counted in files of nights"
    )
    day_categories: tuple[str, ...] = Field(
        default=("EXCURSIONNISTE",), description="categories counted in files of days"
    )
    other_categories: tuple[str, ...] = Field(
        default=("TOURISTE", "EXCURSIONNISTE", "RESIDENT", "HABITUELLEMENT PRESENT"),
        description="further categories known, left out",
    )
    provenances: tuple[str, ...] = Field(
        default=("LOCAL", "NONLOCAL", "ETRANGER"),
        description="provenances counted; totals must not be among them",
    )
    other_provenances: tuple[str, ...] = Field(
        default=(), description="further provenances known, left out, as a total"
    )


class FluxVision:
    """See the module."""

    kind: ClassVar[str] = "flux-vision"
    about: ClassVar[About] = About(
        title="Flux Vision Tourisme (Orange)",
        sources=("influx",),
        homepage="https://www.orange-business.com/fr/solutions/data-intelligence-iot/flux-vision",
        licence="that of the contract; the data may not be published as they are",
        attribution="Flux Vision, Orange Business",
        terms="paid; delivered to the tourism bodies that bought it, as files",
        verified="columns, file names and encodings were read in a third party's code; the labels "
        "of categories and provenances, and the day a night belongs to, are from memory",
    )
    options: ClassVar[type[Options]] = FluxVisionOptions

    def pieces(self, options: Options, span: Span, setting: Setting) -> Iterator[Piece]:
        """All files together: nights and day trips of a day come in different ones."""
        return whole(span)

    def fetch(self, piece: Piece, options: Options, setting: Setting, client: Client) -> Batch:
        """Read every export; see :class:`forecast.ingest.provider.Provider`."""
        own = cast("FluxVisionOptions", options)
        place, findings = Place.of(setting.config), Findings(keep=EVERY_ROW)
        totals: dict[str, list[pd.DataFrame]] = {"nights": [], "days": []}
        details: list[pd.DataFrame] = []
        for document in documents(own, client):
            plain = fold(document.name.rpartition("/")[2])
            which = "nights" if fold(own.nights) in plain else "days"
            if which == "days" and fold(own.days) not in plain:
                continue
            counted = own.night_categories if which == "nights" else own.day_categories
            labels = Labels(
                counted=counted,
                known=(*own.other_categories, *own.night_categories, *own.day_categories),
                provenances=own.provenances,
                others=own.other_provenances,
            )
            typed = read_table(document, EXPORT, place, findings)
            rows = presence(typed, labels, findings)
            if any(name in typed.columns for name in DETAIL):
                details.append(rows)
            else:
                totals[which].append(rows)
        return self._batch(piece, own, setting, totals, details, refused(findings))

    def _batch(
        self,
        piece: Piece,
        own: FluxVisionOptions,
        setting: Setting,
        totals: Mapping[str, list[pd.DataFrame]],
        details: list[pd.DataFrame],
        refusals: tuple[str, ...],
    ) -> Batch:
        named = {fold(zone.name): zone.id for zone in setting.config.zones}
        named |= {fold(area): code for area, code in own.zones.items()}
        sums: dict[str, pd.Series] = {}
        said = [*refusals]
        nowhere: Counter[str] = Counter()
        for which, parts in totals.items():
            if not parts:
                raise ProviderError(
                    f"{own.url or own.folder}: no file of {which} in all; expected one whose name "
                    f"contains {(own.nights if which == 'nights' else own.days)!r}"
                )
            rows, contradictions = once(pd.concat(parts, ignore_index=True))
            areas = {area: named.get(fold(area)) for area in rows["area"].unique()}
            zones = {
                area: setting.places.zone_of_code(code) if code else None
                for area, code in areas.items()
            }
            nowhere.update(rows.loc[rows["area"].map(zones).isna(), "area"])
            sums[which], left_out = daily(rows, zones, which)
            said += [*contradictions, *left_out]
        both = pd.concat(sums, axis=1, join="outer")
        table = both.dropna().sum(axis=1).rename("influx").reset_index()
        notes = []
        alone = len(both) - len(table)
        if alone:
            notes.append(f"zone-days left out, as nights or day trips are missing: {alone:,}")
        if piece.since and piece.until:
            first, last = pd.Timestamp(piece.since), pd.Timestamp(piece.until)
            inside = table["date"].between(first, last)
            notes += beyond(piece, int((~inside).sum()), "zone-days")
            table = table[inside]
        shares = _shares(details)
        if shares:
            notes.append(shares)
        batch = facts("influx", table, ["influx"], provider=setting.name, config=setting.config)
        return replace(batch, unplaced=dict(nowhere), refused=tuple(said), note="; ".join(notes))


def _shares(details: list[pd.DataFrame]) -> str:
    """Shares of the markets visitors come from, as a line of TOML, and what it leaves out."""
    if not details:
        return ""
    rows, _ = once(pd.concat(details, ignore_index=True))
    volumes: Counter[Market] = Counter()
    nameless = 0.0
    good = rows[~rows["bad"]]
    for department, country, volume in zip(
        good["NomDepartement"], good["Pays"], good["volume"], strict=True
    ):
        found = market(department=department, country=country)
        if found:
            volumes[found] += volume
        else:
            nameless += volume
    everything = sum(volumes.values()) + nameless
    line = snippet(volumes)
    if not line:
        return ""
    return f"{line}  # without {nameless / everything:.0%} from elsewhere"


PROVIDER = FluxVision()
