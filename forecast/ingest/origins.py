"""Where visitors come from: shares by school zone and country, ready for ``origin_markets``.

Departments and countries by their French names, as telephone operators write them. School zones
are those of the académies since 2016 (arrêté of 16 April 2015) [M].
"""

from __future__ import annotations

from collections.abc import Mapping

from forecast.ingest.raw import fold

_DEPARTMENTS = {
    "Zone A": "Ain, Allier, Ardèche, Cantal, Charente, Charente-Maritime, Corrèze, Côte-d'Or, "
    "Creuse, Deux-Sèvres, Dordogne, Doubs, Drôme, Gironde, Haute-Loire, Haute-Saône, Haute-Savoie, "
    "Haute-Vienne, Isère, Jura, Landes, Loire, Lot-et-Garonne, Nièvre, Puy-de-Dôme, "
    "Pyrénées-Atlantiques, Rhône, Saône-et-Loire, Savoie, Territoire de Belfort, Vienne, Yonne",
    "Zone B": "Aisne, Alpes-de-Haute-Provence, Alpes-Maritimes, Ardennes, Aube, Bas-Rhin, "
    "Bouches-du-Rhône, Calvados, Cher, Côtes-d'Armor, Eure, Eure-et-Loir, Finistère, Haut-Rhin, "
    "Haute-Marne, Hautes-Alpes, Ille-et-Vilaine, Indre, Indre-et-Loire, Loir-et-Cher, "
    "Loire-Atlantique, Loiret, Maine-et-Loire, Manche, Marne, Mayenne, Meurthe-et-Moselle, Meuse, "
    "Morbihan, Moselle, Nord, Oise, Orne, Pas-de-Calais, Sarthe, Seine-Maritime, Somme, Var, "
    "Vaucluse, Vendée, Vosges",
    "Zone C": "Ariège, Aude, Aveyron, Essonne, Gard, Gers, Haute-Garonne, Hautes-Pyrénées, "
    "Hauts-de-Seine, Hérault, Lot, Lozère, Paris, Pyrénées-Orientales, Seine-et-Marne, "
    "Seine-Saint-Denis, Tarn, Tarn-et-Garonne, Val-de-Marne, Val-d'Oise, Yvelines",
}
_ZONE_OF = {fold(name): zone for zone, names in _DEPARTMENTS.items() for name in names.split(", ")}
_COUNTRIES = {
    fold(name): code
    for name, code in {
        "Royaume-Uni": "GB",
        "Grande-Bretagne": "GB",
        "Belgique": "BE",
        "Allemagne": "DE",
        "Pays-Bas": "NL",
        "Suisse": "CH",
        "Luxembourg": "LU",
        "Espagne": "ES",
        "Italie": "IT",
        "Irlande": "IE",
        "Portugal": "PT",
        "Pologne": "PL",
        "Danemark": "DK",
        "Suède": "SE",
        "Norvège": "NO",
        "Autriche": "AT",
        "États-Unis": "US",
        "Etats-Unis d'Amérique": "US",
        "Canada": "CA",
        "Japon": "JP",
        "Chine": "CN",
    }.items()
}

Market = tuple[str, str]
"""Country (ISO 3166) and school zone (empty abroad)."""


def market(*, department: str = "", country: str = "") -> Market | None:
    """The market of a French department or of a country; None where the name says nothing.

    >>> market(department="SEINE MARITIME"), market(country="Belgique")
    (('FR', 'Zone B'), ('BE', ''))
    """
    if department:
        zone = _ZONE_OF.get(fold(department))
        return ("FR", zone) if zone else None
    code = _COUNTRIES.get(fold(country))
    return (code, "") if code else None


def snippet(volumes: Mapping[Market, float], smallest: float = 0.01) -> str:
    """One line of TOML for territory.toml: shares of the markets, which sum to 1.

    Markets below the share ``smallest`` are left out, and the others scaled up.

    >>> snippet({("FR", "Zone B"): 3, ("GB", ""): 1})
    'origin_markets = [{country = "FR", school = "Zone B", share = 0.75}, {country = "GB", share = \
0.25}]'
    """
    total = sum(volumes.values())
    ranked = sorted(volumes.items(), key=lambda item: (-item[1], item[0]))
    kept = [(market, volume) for market, volume in ranked if volume >= smallest * total > 0]
    if not kept:
        return ""
    whole = sum(volume for _, volume in kept)
    shares = [round(volume / whole, 3) for _, volume in kept]
    shares[0] = round(shares[0] + 1 - sum(shares), 3)
    parts = [
        "{"
        + f'country = "{country}"'
        + (f', school = "{school}"' if school else "")
        + f", share = {share:g}"
        + "}"
        for ((country, school), _), share in zip(kept, shares, strict=True)
    ]
    return f"origin_markets = [{', '.join(parts)}]"
