"""The report of a checked file in French, for whoever sends it and reads French.

The check writes English. What has no French here is quoted after the French title of its kind:
never nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from forecast.french import NARROW
from forecast.serving.problems_fr import translated
from forecast.serving.report_advice_fr import ADVICE, EXPECTED, UNITS
from forecast.serving.report_texts_fr import WHAT

_LONGEST = 2000
"""Characters of a sentence beyond which it is quoted: a cell in it may be of any length, and made
so that a pattern looks at it for ever."""

WORDS = UNITS | {
    "comma": "une virgule",
    "point": "un point",
    "semicolon": "un point-virgule",
    "tab": "une tabulation",
    "(nothing)": "(rien)",
}
"""Words that stand in a sentence and have a French of their own."""

KINDS = {
    "territory": ("Fichier territory.toml", "Corrigez territory.toml."),
    "no_file": ("Aucun fichier reconnu", "Donnez au moins un fichier du contrat d'entrée."),
    "source_twice": ("Source donnée deux fois", "Gardez un seul fichier par source."),
    "unreadable": ("Fichier illisible", "Exportez le fichier de nouveau et renvoyez-le."),
    "encoding": ("Encodage", "Enregistrez le fichier au format «\u202fCSV UTF-8\u202f»."),
    "delimiter": ("Séparateur de colonnes", "Séparez les colonnes par des points-virgules."),
    "duplicate_column": ("Colonne en double", "Gardez une seule des deux colonnes."),
    "missing_column": ("Colonne manquante", "Ajoutez la colonne, ou corrigez son nom."),
    "column_type": ("Type de colonne", "Convertissez la colonne avant d'écrire le fichier."),
    "month_first": ("Mois en premier", "Écrivez les dates sous la forme 2026-07-14."),
    "truncated": ("Dernière ligne coupée", "Exportez le fichier de nouveau et renvoyez-le."),
    "nul_bytes": ("Caractères nuls", "Exportez le fichier de nouveau et renvoyez-le."),
    "ragged_row": ("Ligne inégale", "Donnez à chaque ligne autant de cellules qu'en a l'en-tête."),
    "quotes": ("Guillemets mal fermés", "Fermez les guillemets, ou retirez-les."),
    "empty_cell": ("Cellule vide", "Remplissez la cellule, ou retirez la ligne."),
    "unknown_zone": ("Zone inconnue", "Écrivez le code d'une zone du territoire."),
    "not_a_date": ("Date illisible", "Écrivez un jour sous la forme 2026-07-14."),
    "not_an_instant": (
        "Instant illisible",
        "Écrivez un instant sous la forme 2026-07-14T08:00:00Z.",
    ),
    "ambiguous_date": ("Date ambiguë", "Écrivez les dates sous la forme 2026-07-14."),
    "not_a_number": ("Nombre illisible", "N'écrivez que des chiffres."),
    "ambiguous_number": ("Nombre ambigu", "Exportez la colonne sans séparateur de milliers."),
    "out_of_bounds": ("Hors limites", "Vérifiez le nombre et son unité."),
    "date_in_future": ("Jour non fini", "Retirez la ligne jusqu'à la fin de ce jour."),
    "available_in_future": (
        "Disponible dans le futur",
        "Vérifiez l'instant et son fuseau horaire.",
    ),
    "available_too_early": (
        "Disponible trop tôt",
        "Vérifiez l'instant et son fuseau horaire.",
    ),
    "forecast_of_past": ("Prévision du passé", "Retirez la ligne, ou vérifiez ses dates."),
    "end_before_start": ("Fin avant le début", "Vérifiez les deux dates de l'événement."),
    "conflicting_rows": ("Lignes contradictoires", "Gardez la ligne qui est juste."),
    "unknown_column": ("Colonne inconnue", "Retirez la colonne, ou corrigez son nom."),
    "unknown_file": ("Fichier inconnu", "Déplacez le fichier, ou corrigez son nom."),
    "duplicate_row": ("Ligne en double", "Retirez la copie."),
    "zone_without_rows": ("Zone sans ligne", "Rien à faire si personne n'y mesure."),
    "stopped": ("Site arrêté", "Vérifiez si le capteur est en panne, ou s'il a changé de nom."),
    "zeros": ("Zéros", "Si le capteur était en panne, laissez les cellules vides."),
    "flat_line": ("Valeur figée", "Vérifiez si le capteur est bloqué."),
    "spike": ("Pic", "Vérifiez la valeur."),
    "unit": ("Unité", "Vérifiez l'unité de la colonne."),
    "gap": ("Jours manquants", "Rien à faire si rien n'a été mesuré."),
    "short_history": (
        "Historique court",
        "Envoyez tous les jours que vous avez, mois passés compris.",
    ),
    "unfinished_line": ("Fin de fichier douteuse", "Comparez la dernière ligne avec l'original."),
}
"""Title of each kind, and what to do where the check does not say or has no French."""


class Part(str):
    """A piece of an English sentence, as the French one writes it.

    ``number``, ``days`` and ``words`` are the formats; ``plural`` is an s where there are several,
    and a piece without a format stands as it is.

    >>> "{0:number} jour{0:plural}, {1:days}".format(Part("12.5"), Part("on 2026-07-14"))
    '12,5 jours, le 14/07/2026'
    """

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        if spec == "number":
            return _number(self)
        if spec == "days":
            days = re.sub(r"\b([0-9]{4})-([0-9]{2})-([0-9]{2})\b", r"\3/\2/\1", self)
            return re.sub(r"^on ", "le ", re.sub(r"^from (\S+) to ", r"du \1 au ", days))
        if spec == "words":
            return " ou ".join(WORDS.get(word, word) for word in self.split(" or "))
        if spec == "plural":
            return "" if self in ("0", "1") else "s"
        return str(self)


def in_french(report: Mapping[str, Any]) -> dict[str, Any]:
    """A report, as :meth:`forecast.ingest.report.Report.as_dict` gives it, in French.

    Of its problems ``what``, ``expected`` and ``advice`` are translated; a problem without advice
    gets that of its kind. Everything else stays as it is.
    """
    return {**report, "problems": [_problem(problem) for problem in report["problems"]]}


def _problem(problem: Mapping[str, Any]) -> dict[str, Any]:
    title, remedy = KINDS.get(problem["kind"], ("Problème", "Voyez docs/input-contract.md."))
    return {
        **problem,
        "what": _said(problem["what"], WHAT, title),
        "expected": _said(problem["expected"], EXPECTED, ""),
        "advice": _said(problem["advice"], ADVICE, remedy),
    }


def _said(english: str, patterns: Mapping[str, str], instead: str) -> str:
    """The French; ``instead`` where there is nothing to say, and before what has no French."""
    if not english:
        return instead
    french = translated(english, patterns, Part) if len(english) <= _LONGEST else None
    return french or f"{instead} (en anglais{NARROW}: {english})".strip()


def _number(text: str) -> str:
    """A number of the check, as ``-1,234.5`` or ``1e+06``: thousands set apart, decimal comma."""
    try:
        plain = f"{float(text.replace(',', '')):,.10g}"
    except ValueError:
        return text
    return plain.replace("-", "−").replace(",", NARROW).replace(".", ",")
