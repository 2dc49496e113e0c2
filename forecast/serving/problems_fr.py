"""The problems in French. Code writes them in English; what is not here stays English, quoted.

Sentences with names or numbers in them are patterns: what a group of the English matches stands in
the French as ``{0}``, ``{1}`` ...
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from forecast.serving.details_fr import DETAILS

KINDS = {
    "not-found": ("Page inexistante", "Choisissez un des chemins de /docs."),
    "unknown-zone": ("Zone inconnue", "Choisissez un zone_id de /v1/zones."),
    "method-not-allowed": ("Méthode non permise", "Choisissez une méthode de l'en-tête Allow."),
    "invalid-parameter": (
        "Paramètre invalide",
        "Corrigez ou retirez les paramètres nommés dans errors\u202f; /docs dit ceux de chaque "
        "route.",
    ),
    "not-acceptable": ("Format non offert", "Demandez un des formats nommés."),
    "unauthorized": (
        "Clé nécessaire",
        "Envoyez une clé (`Authorization: Bearer afflux_...`)\u202f; l'exploitant de ce serveur en "
        "crée avec `afflux keys add`.",
    ),
    "forbidden": (
        "Clé sans ce droit",
        "Demandez à l'exploitant de ce serveur une clé qui ait le droit nommé.",
    ),
    "too-slow": ("Requête trop lente", "Envoyez la requête d'un trait, puis redemandez."),
    "body-too-large": ("Corps trop grand", "Envoyez-en moins à la fois."),
    "url-too-long": (
        "URL trop longue",
        "Retirez des filtres ou demandez en plusieurs requêtes.",
    ),
    "unsupported-media-type": (
        "Type de contenu non accepté",
        "Envoyez le corps avec le Content-Type que /docs donne pour cette route.",
    ),
    "too-many-requests": (
        "Trop de requêtes",
        "Attendez le nombre de secondes de Retry-After\u202f; interrogez avec If-None-Match, et "
        "toutes les zones en un appel.",
    ),
    "head-too-large": ("En-têtes trop grands", "Envoyez moins d'en-têtes et de cookies."),
    "internal-error": (
        "Erreur interne",
        "Réessayez\u202f; si cela dure, prévenez l'exploitant de ce serveur, dont le journal a le "
        "détail.",
    ),
    "no-publication": (
        "Rien de publié",
        "Publiez des prévisions avec `afflux publish`, puis redemandez\u202f; sans redémarrage.",
    ),
    "keys-unreadable": (
        "Clés illisibles",
        "L'exploitant de ce serveur doit réparer le fichier des clés\u202f; les prévisions restent "
        "servies.",
    ),
    "unknown-source": ("Source inconnue", "Choisissez une source que liste errors[0].expected."),
    "unknown-webhook": ("Abonnement inconnu", "Choisissez un id que liste GET /v1/webhooks."),
    "file-refused": (
        "Fichier refusé",
        "Corrigez les lignes que liste report.problems et renvoyez le fichier\u202f; rien n'a été "
        "enregistré.",
    ),
    "worker-unavailable": (
        "Indisponible pour l'instant",
        "Redemandez après Retry-After secondes\u202f; les prévisions restent servies.",
    ),
    "too-many-connections": ("Trop de connexions", "Réessayez après Retry-After secondes."),
    "not-yet-published": (
        "Rien n'était publié alors",
        "Demandez un instant plus récent que la première publication.",
    ),
    "unknown-day": (
        "Pas de prévision de ce jour",
        "Choisissez un jour que liste errors[0].expected.",
    ),
    "stored-unreadable": (
        "Fichier abîmé",
        "L'exploitant de ce serveur doit publier de nouveau, ou restaurer le fichier que nomme son "
        "journal\u202f; les autres réponses restent servies.",
    ),
    "request-refused": ("Requête refusée", "Corrigez la requête comme dit."),
}
"""Title and remedy of each kind, by its slug."""

MESSAGES = {
    r"supposes nothing; give weather or events": (
        "rien n'est supposé\u202f: donnez weather ou events"
    ),
    r"says nothing of the weather; give any of (.+)": (
        "rien n'est dit du temps\u202f: donnez l'un de {0}"
    ),
    r"temperature_min is above temperature_max; exchange them": (
        "temperature_min dépasse temperature_max\u202f: échangez-les"
    ),
    r"end_date is before date; exchange them": "end_date précède date\u202f: échangez-les",
    r"expected whole characters, not halves of them": "des caractères entiers sont attendus",
    r"expected a name, not blanks": "un nom est attendu, non des blancs",
    r"is not a day of this publication": "n'est pas un jour de cette publication",
    r"no day of it is one of this publication": "aucun de ses jours n'est de cette publication",
    r"List should have at most (.+) items? after.*": "au plus {0} entrées sont attendues",
    r"List should have at least (.+) items? after.*": "au moins {0} entrée est attendue",
    r"unknown zone": "zone inconnue",
    r"unknown source": "source inconnue",
    r"unknown webhook": "abonnement inconnu",
    r"must begin with https://": "doit commencer par https://",
    r"leads to a private or reserved network, where nothing is sent": (
        "mène à un réseau privé ou réservé, où rien n'est envoyé"
    ),
    r"names a host that cannot be found \((.*)\)": "nomme un hôte introuvable ({0})",
    r"must name a host, without user, password or fragment": (
        "doit nommer un hôte, sans utilisateur, mot de passe ni fragment"
    ),
    r"is no URL \((.+)\)": "n'est pas une URL ({0})",
    r"must be ASCII without blanks; encode other characters \((.+)\)": (
        "doit être en ASCII, sans blanc\u202f; codez les autres caractères ({0})"
    ),
    r"this key has ([0-9]+) webhooks, the most there may be; remove one": (
        "cette clé a {0} abonnements, le plus qu'il puisse y en avoir\u202f: retirez-en un"
    ),
    r"unknown parameter; remove it or correct its spelling": (
        "paramètre inconnu\u202f: retirez-le ou corrigez-en l'orthographe"
    ),
    r"given more than once": "donné plusieurs fois",
    r"expected an instant with its offset, as 2026-07-03T06:00:00Z": (
        "un instant est attendu avec son décalage, comme 2026-07-03T06:00:00Z"
    ),
    r"unknown quantile": "quantile inconnu",
    r"no forecast of that day": "pas de prévision de ce jour",
    r"expected a civil day as YYYY-MM-DD": "un jour civil est attendu, AAAA-MM-JJ",
    r"from \((.+)\) is after to \((.+)\); exchange them": (
        "from ({0}) vient après to ({1})\u202f: échangez-les"
    ),
    r"Field required": "valeur obligatoire",
    r"JSON decode error": "JSON illisible",
    r"Input should be a valid integer.*": "un nombre entier est attendu",
    r"Input should be a valid number.*": "un nombre est attendu",
    r"Input should be a finite number": "un nombre fini est attendu",
    r"Input should be a valid string": "un texte est attendu",
    r"Input should be a valid date.*": "un jour civil est attendu, AAAA-MM-JJ",
    r"Input should be a valid datetime.*": "un instant est attendu (ISO 8601)",
    r"Input should be a valid list": "une liste est attendue",
    r"Input should be a valid boolean.*": "true ou false est attendu",
    r"Input should be a valid dictionary.*": "un objet est attendu",
    r"Input should be greater than or equal to (.+)": "au moins {0} est attendu",
    r"Input should be less than or equal to (.+)": "au plus {0} est attendu",
    r"Input should be greater than (.+)": "plus de {0} est attendu",
    r"Input should be less than (.+)": "moins de {0} est attendu",
    r"Input should be (.+)": "attendu\u202f: {0}",
    r"String should have at most (.+) characters?": "au plus {0} caractères sont attendus",
    r"String should have at least (.+) characters?": "au moins {0} caractères sont attendus",
}
"""What ``errors[].message`` says, as patterns."""


def title(slug: str) -> str | None:
    """Title of a kind of problem in French, None if it has none."""
    return KINDS[slug][0] if slug in KINDS else None


def detail(slug: str, english: str | None) -> str:
    """The French detail, ending in what to do; English that has no French is quoted."""
    name, remedy = KINDS.get(slug, ("Requête refusée", "Voyez /docs."))
    if english is None:
        return f"{name}. {remedy}"
    for texts in (DETAILS, MESSAGES):
        found = translated(english, texts, _part)
        if found is not None:
            return f"{found} {remedy}"
    # "from, to: a message. Remedy": the names, the message and the remedy by themselves.
    names, separator, rest = english.partition(": ")
    first = translated(rest.partition(". ")[0], MESSAGES, _part) if separator else None
    if first is not None:
        return f"{names}\u202f: {first}. {remedy}"
    return f"{name}. {remedy} (En anglais\u202f: {english})" if english != remedy else remedy


def message(english: str) -> str:
    """The French message of a fault, or the English one."""
    return translated(english, MESSAGES, _part) or english


def translated(
    english: str, texts: Mapping[str, str], part: Callable[[str], str] = str
) -> str | None:
    """The French of the first pattern that the whole of ``english`` matches, None if none does.

    What its groups match stands in the French as ``part`` writes it.
    """
    for pattern, french in texts.items():
        found = re.fullmatch(pattern, english, re.DOTALL)
        if found:
            return french.format(*map(part, found.groups()))
    return None


def _part(english: str) -> str:
    return english.replace("' or '", "' ou '")
