"""What the check of a file expected and advises, in French; see :mod:`.report_fr`."""

from __future__ import annotations

import re

UNITS = {
    "visitors day⁻¹": "visiteurs par jour",
    "passages day⁻¹": "passages par jour",
    "persons day⁻¹": "personnes par jour",
    "t day⁻¹": "t par jour",
    "spaces": "places",
    "share": "(1 vaut 100\u202f%)",
    "°C": "°C",
    "mm": "mm",
    "h": "h",
    "km/h": "km/h",
    "m": "m",
}
"""Units of the input contract."""

EXPECTED = {
    r"a header and rows": "un en-tête et des lignes",
    r"a header with (.+)": "un en-tête avec {0:words}",
    r"a header like (.+)": "un en-tête comme {0}",
    r"(\S+), as in the header": "{0}, comme dans l'en-tête",
    r"zones with id, name, population, latitude and longitude": (
        "des zones avec id, name, population, latitude et longitude"
    ),
    r"one or more of (.+) \(or \.parquet\)": "un ou plusieurs de {0} (ou .parquet)",
    r"text \(string\); identifiers stored as numbers lose their leading zeros": (
        "du texte (string)\u202f: des identifiants enregistrés comme nombres perdent leurs zéros "
        "de tête"
    ),
    r"numbers \(float64 or an integer type\)": "des nombres (float64 ou un type entier)",
    r"integers": "des entiers",
    r"days \(date32, or timestamps without time zone at midnight\) or text": (
        "des jours (date32, ou timestamp à minuit sans fuseau) ou du texte"
    ),
    r"timestamps or text": "des timestamps ou du texte",
    # Cells that may not be empty.
    r"zone, as in territory\.toml; text, leading zeros kept, in every row": (
        "le code de la zone sur chaque ligne, en texte, avec ses zéros de tête"
    ),
    r"sensor or car park; one name for ever, in every row": (
        "le capteur ou le parking sur chaque ligne, toujours sous le même nom"
    ),
    r"civil day in the territory's time zone, in every row": "un jour sur chaque ligne",
    r"civil day of collection, in every row": "le jour de collecte sur chaque ligne",
    r"instant of issue \(run\) of the forecast, in every row": (
        "l'instant d'émission de la prévision sur chaque ligne"
    ),
    r"civil day the forecast is about, in every row": "le jour prévu sur chaque ligne",
    r"name of the event, in every row": "le nom de l'événement sur chaque ligne",
    r"first civil day, in every row": "le premier jour sur chaque ligne",
    # Cells.
    r"a number": "un nombre",
    r"one decimal separator in the whole column": (
        "un même séparateur décimal dans toute la colonne"
    ),
    r"1234 for a thousand, or 1,2340 for decimals": (
        "1234 pour un millier, ou 1,2340 pour des décimales"
    ),
    rf"(\S+) to (\S+) ({'|'.join(map(re.escape, UNITS))})": (
        "de {0:number} à {1:number}\u202f{2:words}"
    ),
    r"(\S+) to (\S+)": "de {0:number} à {1:number}",
    r"a day like 2026-07-14 or 14/07/2026": "un jour comme 2026-07-14 ou 14/07/2026",
    r"days before months \(14/07/2026\) or 2026-07-14": (
        "le jour avant le mois (14/07/2026), ou 2026-07-14"
    ),
    r"a day between 1950 and 2100": "un jour entre 1950 et 2100",
    r"an instant like 2026-07-14T08:00:00Z or 14/07/2026 10:00": (
        "un instant comme 2026-07-14T08:00:00Z ou 14/07/2026 10:00"
    ),
    r"an instant with its time zone": "un instant avec son fuseau horaire",
    r"days that are over": "un jour qui est fini",
    r"an instant after the local midnight that ends the day": (
        "un instant après le minuit local qui finit le jour"
    ),
    r"an instant that has passed": "un instant passé",
    r"the day of issue or a later one": "le jour d'émission ou un jour suivant",
    r"issued_at or later": "issued_at ou plus tard",
    r"the day in column date, or a later one": "le jour de la colonne date, ou un jour suivant",
    r"the last day of the event": "le dernier jour de l'événement",
    # Rows beside one another.
    r"one row for each day, zone and site": "une ligne pour chaque jour, zone et site",
    r"at least (\S+) to learn from, better two years": (
        "au moins {0} jours pour que le modèle apprenne, mieux deux ans"
    ),
    r"rarely more than (\S+) kg a day for each": (
        "rarement plus de {0:number} kg par jour et par habitant"
    ),
}
"""What was expected, as patterns."""

ADVICE = {
    # The file.
    r"check its rights": "Vérifiez les droits d'accès du fichier.",
    r"check its path": "Vérifiez son chemin.",
    r"save the file as 'CSV UTF-8'": ("Enregistrez le fichier au format «\u202fCSV UTF-8\u202f»."),
    r"save the sheet as 'CSV UTF-8'": ("Enregistrez la feuille au format «\u202fCSV UTF-8\u202f»."),
    r"export it as 'CSV UTF-8', or as 'Texte Unicode', which writes the mark": (
        "Exportez-le en «\u202fCSV UTF-8\u202f», ou en «\u202fTexte Unicode\u202f», qui écrit la "
        "marque."
    ),
    r"write it again": "Écrivez-le de nouveau.",
    r"convert the column before writing the file": (
        "Convertissez la colonne avant d'écrire le fichier."
    ),
    r"write one; docs/input-contract\.md shows how": (
        "Écrivez-en un\u202f; docs/input-contract.md montre comment."
    ),
    r"keep one of them": "Supprimez le doublon.",
    r"did you mean (.+)\?": "Vouliez-vous écrire {0}\u202f?",
    r"move it elsewhere, or name it as in docs/input-contract\.md": (
        "Déplacez-le, ou nommez-le comme dans docs/input-contract.md."
    ),
    # The header and the shape of rows.
    r"write the header with the contract's names and one delimiter": (
        "Écrivez l'en-tête avec les noms de docs/input-contract.md et un seul séparateur."
    ),
    r"the header reads: (.+)": (
        "Ajoutez la colonne ou corrigez son nom\u202f; l'en-tête du fichier est\u202f: {0:words}"
    ),
    r"remove it, or see docs/input-contract\.md": (
        "Retirez-la, ou voyez les colonnes admises dans docs/input-contract.md."
    ),
    r"double a quote that belongs to the text, and keep cells on one line": (
        "Doublez le guillemet qui fait partie du texte, et gardez chaque cellule sur une ligne."
    ),
    r"the file was cut: copy or export it again": (
        "Le fichier a été coupé\u202f: copiez-le ou exportez-le de nouveau."
    ),
    r"compare the last line with the origin, or end it with a line break": (
        "Comparez la dernière ligne avec l'original, ou finissez-la par un saut de ligne."
    ),
    r"a decimal comma in a file delimited by commas must be quoted, or use ;": (
        "Dans un fichier séparé par des virgules, mettez entre guillemets les nombres à virgule, "
        "ou séparez les colonnes par des points-virgules."
    ),
    r"write the missing cells, empty if need be": (
        "Écrivez les cellules qui manquent, vides s'il le faut."
    ),
    r"the file is damaged or was not closed: copy or export it again": (
        "Le fichier est abîmé ou n'a pas été fermé\u202f: copiez-le ou exportez-le de nouveau."
    ),
    # Zones.
    r"write (.+) without spaces": "Écrivez {0} sans espaces.",
    r"a spreadsheet made a decimal number of (.+): keep the column as text": (
        "Un tableur a fait de {0} un nombre décimal\u202f: mettez la colonne au format texte."
    ),
    r"(.+) has lost its leading zeros: keep the column as text": (
        "{0} a perdu ses zéros de tête\u202f: mettez la colonne au format texte."
    ),
    r"give the id of (.+): (.+)": "Donnez le code de {0}\u202f: {1}.",
    r"a spreadsheet rounded the id to a power of ten: keep the column as text": (
        "Un tableur a arrondi le code à une puissance de dix\u202f: mettez la colonne au format "
        "texte."
    ),
    r"nearest: (.+)": "Le plus proche\u202f: {0}.",
    r"the zones are (.+) \.\.\.": "Les zones sont {0}, etc.",
    r"the zones are (.+)": "Les zones sont {0}.",
    # Numbers.
    r"this looks like a percentage: divide by 100": (
        "Cela ressemble à un pourcentage\u202f: divisez par 100."
    ),
    r"this looks like kilograms: divide by 1000": (
        "Cela ressemble à des kilogrammes\u202f: divisez par 1000."
    ),
    r"this looks like kelvins or tenths of a degree: give degrees Celsius": (
        "Cela ressemble à des kelvins ou à des dixièmes de degré\u202f: donnez des degrés Celsius."
    ),
    r"write the column with one convention": "Écrivez toute la colonne de la même façon.",
    r"export the column without thousands separator": (
        "Exportez la colonne sans séparateur de milliers."
    ),
    r"write a share as a number: 0,85 for 85 %": (
        "Écrivez une part comme un nombre\u202f: 0,85 pour 85\u202f%."
    ),
    r"leave the cell empty where nothing was measured": (
        "Laissez la cellule vide si rien n'a été mesuré."
    ),
    r"a space may only separate groups of three digits": (
        "L'espace ne sépare que des groupes de trois chiffres."
    ),
    r"write digits only, without unit": "N'écrivez que des chiffres, sans unité.",
    # Days and instants.
    r"export the dates as 2026-07-14": "Exportez les dates sous la forme 2026-07-14.",
    r"days come before months: 14/07/2026": "Écrivez le jour avant le mois\u202f: 14/07/2026.",
    r"write the year in full": "Écrivez l'année en entier.",
    r"give the column a date format before exporting": (
        "Mettez la colonne au format date avant d'exporter."
    ),
    r"give one row for each civil day": "Donnez une ligne par jour.",
    r"correct the day, month or year": "Corrigez le jour, le mois ou l'année.",
    r"write days as 2026-07-14": "Écrivez les jours sous la forme 2026-07-14.",
    r"add the hour": "Ajoutez l'heure.",
    r"add the offset, as in (\S+)": "Ajoutez le décalage avec UTC, comme dans {0}.",
    r"write timestamps in UTC": "Écrivez les instants en UTC.",
    r"leave the row out until then; is the day written before the month\?": (
        "Retirez la ligne jusque-là, ou vérifiez que le jour est écrit avant le mois."
    ),
    r"is it the time zone, or the instant of the measurement\?": (
        "Vérifiez le fuseau horaire\u202f; ou est-ce l'instant de la mesure\u202f?"
    ),
    r"put measured weather in weather\.csv": (
        "Envoyez la météo mesurée dans un fichier de la source weather."
    ),
    r"is the year right\?": "Vérifiez l'année.",
    # Rows beside one another.
    r"remove the copy": "Retirez la copie.",
    r"keep the right one, or give each its available_at if one revises the other": (
        "Gardez la bonne\u202f; si l'une révise l'autre, donnez à chacune son available_at."
    ),
    r"nothing to do if nobody measures there": "Rien à faire si personne n'y mesure.",
    r"nothing to do if nothing was measured": "Rien à faire si rien n'a été mesuré.",
    r"is the sensor down, or has it a new name\?": (
        "Vérifiez si le capteur est en panne, ou s'il a changé de nom."
    ),
    r"are these kilograms\? Divide by 1000": ("Si ce sont des kilogrammes, divisez par 1000."),
    r"is the sensor stuck, or are the days filled in\?": (
        "Vérifiez si le capteur est bloqué, ou si les jours ont été remplis après coup."
    ),
    r"if the sensor was down, leave the cells empty": (
        "Si le capteur était en panne, laissez les cellules vides."
    ),
    r"is it a count of several days, or a real crowd\?": (
        "Vérifiez si c'est le compte de plusieurs jours, ou une vraie affluence."
    ),
}
"""What to do, as patterns."""
