"""The forecasts as open data: a DCAT-AP description that a portal can harvest (JSON-LD).

Addresses are relative to the document's own, so that it is right behind any proxy. This module
needs the standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from forecast.serving.export_atom import labelled

MEDIA_TYPE = "application/ld+json"

_FILE_TYPE = "http://publications.europa.eu/resource/authority/file-type/"
_OFTEN = "http://publications.europa.eu/resource/authority/frequency/"
_HOUR = timedelta(hours=1)
_MEDIA = "https://www.iana.org/assignments/media-types/"
_FORMATS = (
    ("forecasts.csv", "CSV", "text/csv", "Prévisions, une ligne par zone et par jour"),
    ("forecasts.json", "JSON", "application/json", "Prévisions, avec leurs causes"),
    ("forecasts.geojson", "GEOJSON", "application/geo+json", "Zones et niveaux, pour un SIG"),
    ("forecasts.parquet", "PARQUET", "application/vnd.apache.parquet", "Prévisions en colonnes"),
    ("forecasts.ics", "ICS", "text/calendar", "Journées orange et au-delà, à s'abonner"),
    ("changes.atom", "ATOM", "application/atom+xml", "Changements de niveau"),
)
_WHAT = (
    "Visiteurs attendus par zone et par jour, aujourd'hui et les jours suivants, avec quantiles et "
    "niveaux (vert, orange, rouge, noir)"
)
OFTEN = {1.0: "HOURLY", 12.0: "DAILY_2", 24.0: "DAILY", 168.0: "WEEKLY"}
"""Frequency of publication, by the hours between two."""

LICENCES = {
    "etalab-2.0": "https://www.etalab.gouv.fr/licence-ouverte-open-licence",
    "licence ouverte 2.0": "https://www.etalab.gouv.fr/licence-ouverte-open-licence",
    "odbl-1.0": "https://opendatacommons.org/licenses/odbl/1-0/",
    "cc-by-4.0": "https://creativecommons.org/licenses/by/4.0/",
}
"""Address of each licence that is known, by the name a configuration gives it, in small letters."""


def dcat(about: Mapping[str, Any], zones: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The dataset and its distributions, from an answer's metadata and zones."""
    territory = about["territory"]
    longitudes = [zone["longitude"] for zone in zones]
    latitudes = [zone["latitude"] for zone in zones]
    west, south, east, north = (
        min(longitudes), min(latitudes), max(longitudes), max(latitudes)
    )  # fmt: skip
    box = f"POLYGON(({west} {south},{east} {south},{east} {north},{west} {north},{west} {south}))"
    licence = about["licence"]
    rights: dict[str, Any] = {}
    if licence:
        known = LICENCES.get(licence.casefold())
        named = {"@id": known} if known else {"rdfs:label": licence}
        rights = {"dct:license": {"@type": "dct:LicenseDocument", **named}}
    hours = (_instant(about["next_expected_at"]) - _instant(about["published_at"])) / _HOUR
    often = {"dct:accrualPeriodicity": {"@id": f"{_OFTEN}{OFTEN[hours]}"}} if hours in OFTEN else {}
    return {
        "@context": {
            "dcat": "http://www.w3.org/ns/dcat#",
            "dct": "http://purl.org/dc/terms/",
            "foaf": "http://xmlns.com/foaf/0.1/",
            "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
            "locn": "http://www.w3.org/ns/locn#",
            "xsd": "http://www.w3.org/2001/XMLSchema#",
        },
        "@id": "forecasts",
        "@type": "dcat:Dataset",
        "dct:identifier": f"afflux-{territory['id']}-forecasts",
        "dct:title": _french(labelled(f"Prévisions d'affluence, {territory['name']}", about)),
        "dct:description": _french(labelled(_WHAT, about)),
        "dct:publisher": {
            "@type": ["foaf:Agent", "foaf:Organization"],
            "foaf:name": about["attribution"] or territory["name"],
        },
        "dct:modified": {"@type": "xsd:dateTime", "@value": about["published_at"]},
        **often,
        "dct:language": {
            "@id": "http://publications.europa.eu/resource/authority/language/FRA"
        },
        "dct:spatial": {
            "@type": "dct:Location",
            "dcat:bbox": {
                "@type": "http://www.opengis.net/ont/geosparql#wktLiteral", "@value": box
            },
        },
        "dcat:theme": {"@id": "http://publications.europa.eu/resource/authority/data-theme/TRAN"},
        "dcat:keyword": [_french(word) for word in ("affluence", "tourisme", "prévision")],
        "dcat:distribution": [
            {
                "@id": path,
                "@type": "dcat:Distribution",
                "dct:title": _french(title),
                "dcat:accessURL": {"@id": path},
                "dcat:downloadURL": {"@id": path},
                "dcat:mediaType": {"@id": f"{_MEDIA}{media_type}"},
                "dct:format": {"@id": f"{_FILE_TYPE}{kind}"},
                **({"dct:conformsTo": {"@id": "schemas/forecasts.json"}} if kind == "CSV" else {}),
                "dct:modified": {"@type": "xsd:dateTime", "@value": about["published_at"]},
                **rights,
            }
            for path, kind, media_type, title in _FORMATS
        ],
    }  # fmt: skip


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _french(text: str) -> dict[str, str]:
    return {"@language": "fr", "@value": text}
