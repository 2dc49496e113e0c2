"""Events: DATAtourisme, the national catalogue of tourism, as a zip of JSON-LD or a flat CSV.

An export is a flow made on diffuseur.datatourisme.fr; its shapes are from memory [M], and an
element that is not as expected is refused with its path. Fêtes et manifestations are in the
ontology (3.2.2) [V]. The catalogue never says how many people come: give ``attendance`` by type
(``Festival``, ``SaleEvent`` ...) or ``default_attendance``; events without either are left out and
counted. The address of a flow holds its key: download it into ``folder`` rather than write it here.
"""

from __future__ import annotations

from collections import Counter
from typing import ClassVar, cast

from forecast.errors import ProviderError
from forecast.ingest.documents import Document, documents
from forecast.ingest.happenings import EventFiles, EventOptions, Happening, batch_of, read_each
from forecast.ingest.http import Client
from forecast.ingest.place import Place
from forecast.ingest.provider import About, Batch, Options, Piece, Setting
from forecast.ingest.report import Findings
from forecast.ingest.tabular import EVERY_ROW, read_table, refused
from forecast.ingest.tourism import EVENT_TYPES, FLAT, flat_events, is_objects, read_objects

_PASSED_OVER = ("index.json", "context.jsonld")


class DataTourisme(EventFiles):
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

    def fetch(self, piece: Piece, options: Options, setting: Setting, client: Client) -> Batch:
        """Read the export; see :class:`forecast.ingest.provider.Provider`."""
        own, place = cast("EventOptions", options), Place.of(setting.config)
        findings, broken = Findings(keep=EVERY_ROW), list[str]()
        others: Counter[str] = Counter()

        def read(document: Document) -> list[Happening]:
            if is_objects(document):
                return read_objects(document, broken, others)
            return flat_events(read_table(document, FLAT, place, findings), broken)

        given = documents(own, client, max_members=MAX_OBJECTS)
        objects = [d for d in given if d.name.rpartition("/")[2] not in _PASSED_OVER]
        if not objects:
            raise ProviderError(f"{own.url or own.folder}: the export holds no object")
        events = read_each(objects, read, broken)
        if others and not events and not broken:
            types = ", ".join(name for name, _ in others.most_common(5))
            raise ProviderError(
                f"{own.url or own.folder}: none of {others.total():,} objects is an event; "
                f"expected some of type {' or '.join(EVENT_TYPES)}, found {types}"
            )
        return batch_of(events, (*broken, *refused(findings)), own, piece, setting)


MAX_OBJECTS = 100_000
"""Objects that an archive may hold, one file each."""

PROVIDER = DataTourisme()
