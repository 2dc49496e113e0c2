"""Events: DATAtourisme, the national catalogue of tourism, as a zip of JSON-LD or a flat CSV.

An export is a flow made on diffuseur.datatourisme.fr; its shapes are from memory [M], and an
element that is not as expected is refused with its path. Fêtes et manifestations are in the
ontology (3.2.2) [V]. The catalogue never says how many people come: give ``attendance`` by type
(``Festival``, ``SaleEvent`` ...) or ``default_attendance``; events without either are left out and
counted. The address of a flow holds its key: download it into ``folder`` rather than write it here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, cast

from forecast.errors import ProviderError
from forecast.ingest.documents import ahead, documents
from forecast.ingest.happenings import EventOptions, Happening, batch_of
from forecast.ingest.http import Client
from forecast.ingest.place import Place
from forecast.ingest.provider import About, Batch, Options, Piece, Setting, Span
from forecast.ingest.report import Findings
from forecast.ingest.tabular import EVERY_ROW, read_table, refused
from forecast.ingest.tourism import FLAT, flat_events, is_objects, read_objects

_PASSED_OVER = ("index.json", "context.jsonld")


class DataTourisme:
    """See the module."""

    kind: ClassVar[str] = "datatourisme"
    about: ClassVar[About] = About(
        title="DATAtourisme",
        sources=("events",),
        homepage="https://www.datatourisme.fr",
        licence="Licence Ouverte 2.0",
        attribution="DATAtourisme",
        terms="free, with an account for the flows; the flat CSV of data.gouv.fr needs none",
        verified="only that the ontology has events was checked; the shapes of the exports and the "
        "licence are from memory",
    )
    options: ClassVar[type[Options]] = EventOptions

    def pieces(self, options: Options, span: Span, setting: Setting) -> Iterator[Piece]:
        """The whole catalogue, with the days to come."""
        return ahead(span, cast("EventOptions", options).ahead_days, setting)

    def fetch(self, piece: Piece, options: Options, setting: Setting, client: Client) -> Batch:
        """Read the export; see :class:`forecast.ingest.provider.Provider`."""
        own, place = cast("EventOptions", options), Place.of(setting.config)
        findings = Findings(keep=EVERY_ROW)
        events: list[Happening] = []
        broken: list[str] = []
        sound = 0
        for document in documents(own, client, max_members=MAX_OBJECTS):
            if document.name.rpartition("/")[2] in _PASSED_OVER:
                continue
            try:
                if is_objects(document):
                    events += read_objects(document, broken)
                else:
                    typed = read_table(document, FLAT, place, findings)
                    events += flat_events(typed, broken)
            except ProviderError as error:
                broken.append(str(error))
                continue
            sound += 1
        if not sound:
            raise ProviderError(
                broken[0] if broken else f"{own.url or own.folder}: the export holds no object"
            )
        return batch_of(events, (*broken, *refused(findings)), own, piece, setting)


MAX_OBJECTS = 100_000
"""Objects that an archive may hold, one file each."""

PROVIDER = DataTourisme()
