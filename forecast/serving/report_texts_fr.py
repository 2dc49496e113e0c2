"""What the check of a file finds, in French; see :mod:`.report_fr`.

What a group of the English matches stands in the French as ``{0}``, ``{1}`` ..., verbatim or as
:class:`forecast.serving.report_fr.Part` writes it.
"""

from __future__ import annotations

WHAT = {
    # The file.
    r"the file cannot be read \((.+)\)": "Le fichier ne peut pas être lu ({0})",
    r"the file is empty": "Le fichier est vide",
    r"the file has a header and no rows": "Le fichier a un en-tête et aucune ligne de données",
    r"the file announces (.+) but breaks it": (
        "Le fichier s'annonce comme {0}, mais n'en suit pas les règles"
    ),
    r"the file looks like UTF-16 without a byte order mark": (
        "Le fichier semble être en UTF-16, sans la marque qui le dit au début"
    ),
    r"the file mixes UTF-8 with another encoding, or is damaged": (
        "Le fichier mélange UTF-8 et un autre encodage, ou il est abîmé"
    ),
    r"the file is neither UTF-8 nor Windows-1252": (
        "Le fichier n'est ni en UTF-8 ni en Windows-1252"
    ),
    r"the file is not readable Parquet \((.+)\)": "Le fichier Parquet est illisible ({0})",
    r"the column is stored as (.+)": "La colonne est enregistrée avec le type {0}",
    r"the folder has no such file": "Le dossier n'a pas ce fichier",
    r"there is no such folder": "Ce dossier n'existe pas",
    r"the folder holds no file of the input contract": (
        "Le dossier ne contient aucun fichier du contrat d'entrée"
    ),
    r"the contract has no such file; it is ignored": (
        "Ce fichier n'est pas attendu\u202f: il est ignoré"
    ),
    r"the contract has no such folder; it is ignored": (
        "Ce dossier n'est pas attendu\u202f: il est ignoré"
    ),
    r"(.+) is there as well": "{0} est là aussi",
    # The header and the shape of rows.
    r"the header can be split by (.+)": "L'en-tête peut se découper par {0:words}",
    r"columns (.+) and (.+) are both (.+)": "Les colonnes {0} et {1} sont toutes deux {2}",
    r"there is no column (.+)": "Il n'y a pas de colonne {0:words}",
    r"the contract has no such column; it is ignored": (
        "Cette colonne n'est pas attendue\u202f: elle est ignorée"
    ),
    r"a quote is not closed on its line or stands inside a cell, or the cell has no end": (
        "Un guillemet n'est pas fermé sur sa ligne ou se trouve à l'intérieur d'une cellule, ou la "
        "cellule n'a pas de fin"
    ),
    r"the last line stops after (.+) of (.+) cells and has no line break": (
        "La dernière ligne s'arrête après {0} cellule{0:plural} sur {1} et n'a pas de saut de ligne"
    ),
    r"the file does not end with a line break: its last number may have been cut": (
        "Le fichier ne finit pas par un saut de ligne\u202f: son dernier nombre a pu être coupé"
    ),
    r"the row has (.+) cells": "La ligne a {0} cellule{0:plural}",
    r"the line holds NUL characters": "La ligne contient des caractères nuls",
    # Cells.
    r"the cell is empty": "La cellule est vide",
    r"the cell is not a number": "La cellule n'est pas un nombre",
    r"a decimal (.+) in a column whose other cells show a decimal (.+)": (
        "Les décimales suivent {0:words}, alors que dans les autres cellules de la colonne elles "
        "suivent {1:words}"
    ),
    r"the (.+) may separate decimals or thousands, and no other cell decides": (
        "La cellule contient {0:words} qui peut séparer les décimales ou les milliers, et aucune "
        "autre cellule ne permet de trancher"
    ),
    r"the number is out of bounds": "Le nombre est hors des limites",
    r"territory\.toml has no such zone": "Cette zone n'est pas dans le territoire",
    r"the second number is no month, and no cell shows the day first": (
        "Le deuxième nombre n'est pas un mois, et aucune cellule ne montre le jour en premier"
    ),
    r"the second number cannot be a month, so the month seems to come first": (
        "Le deuxième nombre ne peut pas être un mois\u202f: le mois semble écrit en premier"
    ),
    r"the file mixes DD/MM and MM/DD": "Le fichier mélange JJ/MM et MM/JJ",
    r"the year has two digits": "L'année n'a que deux chiffres",
    r"the cell looks like the number Excel keeps for a date": (
        "La cellule ressemble au nombre par lequel Excel conserve une date"
    ),
    r"the day comes with an hour": "Le jour est accompagné d'une heure",
    r"there is no such day": "Ce jour n'existe pas",
    r"the cell is not a day": "La cellule n'est pas un jour",
    r"the day is too far away": "Le jour est trop éloigné",
    r"the instant has no hour": "L'instant n'a pas d'heure",
    r"the cell is not an instant": "La cellule n'est pas un instant",
    r"the clocks skip this hour": (
        "Cette heure n'existe pas\u202f: c'est le passage à l'heure d'été"
    ),
    r"the clocks show this hour twice": (
        "Cette heure existe deux fois\u202f: c'est le passage à l'heure d'hiver"
    ),
    r"the change of the clocks skips or repeats this local hour": (
        "Le changement d'heure saute ou répète cette heure locale"
    ),
    # The order of times.
    r"the day is not over at (.+) UTC; its measurement is not complete": (
        "Le jour n'est pas encore fini ({0:days} UTC)\u202f: sa mesure n'est pas complète"
    ),
    r"the row says it was known before its day was over": (
        "L'instant de available_at précède la fin du jour de la ligne"
    ),
    r"the row says it will be known after now \((.+) UTC\)": (
        "L'instant de available_at n'est pas encore passé ({0:days} UTC)"
    ),
    r"the forecast is issued after now": (
        "L'instant d'émission de la prévision n'est pas encore passé"
    ),
    r"the day was over when the forecast was issued": (
        "Le jour était fini quand la prévision a été émise"
    ),
    r"the row says it was known before the forecast was issued": (
        "L'instant de available_at précède l'émission de la prévision"
    ),
    r"the event ends before it starts": "L'événement finit avant de commencer",
    r"the event lasts more than (.+) days": "L'événement dure plus de {0} jours",
    # Rows beside one another.
    r"lines (\S+) and (\S+) say different things of the same day: (.*) and (.*)": (
        "Les lignes {0} et {1} se contredisent sur le même jour\u202f: {2} et {3}"
    ),
    r"rows (\S+) and (\S+) say different things of the same day: (.*) and (.*)": (
        "Les rangées {0} et {1} se contredisent sur le même jour\u202f: {2} et {3}"
    ),
    r"the row repeats an earlier one; it is dropped": (
        "La ligne en répète une autre, plus haut\u202f: elle est laissée de côté"
    ),
    r"(\S+) of (\S+) zones have no row: (.+) and (\S+) more": (
        "Zones sans aucune ligne, {0} sur {1}\u202f: {2} et {3} de plus"
    ),
    r"(\S+) of (\S+) zones have no row: (.+)": "Zones sans aucune ligne, {0} sur {1}\u202f: {2}",
    r"the file holds (\S+) days?": "Le fichier contient {0:number} jour{0:plural}",
    r"(.+): (\S+) days missing in (\S+) places?, the longest from (.+) to (.+)": (
        "{0}\u202f: {1:number} jour{1:plural} sans donnée en {2} période{2:plural}, dont la plus "
        "longue du {3:days} au {4:days}"
    ),
    r"(.+): ends on (.+), others go on until (.+)": (
        "{0}\u202f: s'arrête le {1:days}, d'autres vont jusqu'au {2:days}"
    ),
    r"(.+): the same value (\S+) days running (.+)": (
        "{0}\u202f: la même valeur {1:number} jours de suite, {2:days}"
    ),
    r"(.+): zero (.+), and rarely otherwise": "{0}\u202f: zéro {1:days}, et rarement sinon",
    r"(.+): (\S+) on (.+), where the same weekday of the weeks around has (.+)": (
        "{0}\u202f: {1:number} le {2:days}, quand le même jour des semaines voisines a {3:number}"
    ),
    r"zone (.+): (\S+) t a day for (\S+) inhabitants": (
        "Zone {0}\u202f: {1:number} t par jour pour {2:number} habitants"
    ),
}
"""What is wrong, as patterns."""
