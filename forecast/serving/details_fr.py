"""What problems say in detail, in French; see :mod:`forecast.serving.problems_fr`."""

from __future__ import annotations

DETAILS = {
    r"There is no source (.+) to send files of\. Use.*": (
        "Il n'y a pas de source {0} dont envoyer des fichiers."
    ),
    r"There is no webhook (.+) of this key\. Use.*": "Cette clé n'a pas d'abonnement {0}.",
    r"(.+) has ([0-9]+) errors?\. Correct.*": "{0} a {1} erreur(s).",
    r"There is nothing at (.+)\. Use one.*": "Il n'y a rien à {0}.",
    r"(.+) does not take (\S+); it takes (.+)\.": "{0} n'admet pas {1}, mais {2}.",
    r"There is no zone (.+) in this territory\. Use.*": (
        "Il n'y a pas de zone {0} dans ce territoire\u202f: voyez errors[0].expected."
    ),
    r"(.+): given more than once\. Give it once; only (.+) repeat\.": (
        "{0}\u202f: donné plusieurs fois. Donnez-le une fois\u202f; seuls {1} se répètent."
    ),
    r"Nothing had been published at (.+); the first publication is of (.+)\. Ask.*": (
        "Rien n'était publié à {0}\u202f; la première publication est du {1}."
    ),
    r"The publication has no forecast of (.+)\. Use.*": (
        "La publication n'a pas de prévision du {0}."
    ),
    r"There is no quantile (.+) in this publication\. Correct.*": (
        "Il n'y a pas de quantile {0} dans cette publication."
    ),
    r"Parquet is offered for all forecasts of the present publication; remove.*": (
        "Parquet est offert pour toutes les prévisions de la publication présente\u202f: retirez "
        "les filtres, ou demandez CSV."
    ),
    r"This answer is offered as (.+)\. Ask.*": "Cette réponse est offerte en {0}.",
    r"There is no forecast to serve yet\. Publish.*": "Il n'y a pas encore de prévision à servir.",
    r"There is no forecast to serve yet\. What is there was refused: (.+)\. Publish.*": (
        "Il n'y a pas encore de prévision à servir\u202f; ce qu'il y a a été refusé ({0})."
    ),
    r"The body has more than ([0-9]+) bytes\..*": "Le corps dépasse {0} octets.",
    r"The body did not come within ([0-9]+) seconds\..*": (
        "Le corps n'est pas venu en {0} secondes."
    ),
    r"The URL has ([0-9]+) bytes, at most ([0-9]+) are read\..*": (
        "L'URL a {0} octets, {1} au plus sont lus."
    ),
    r"The headers have ([0-9]+) bytes, at most ([0-9]+) are read\..*": (
        "Les en-têtes ont {0} octets, {1} au plus sont lus."
    ),
    r"More than ([0-9]+) requests in a minute \((.+)\)\. Wait ([0-9]+) s.*": (
        "Plus de {0} requêtes en une minute ({1}). Attendez {2} s."
    ),
    r"This needs a key with the scope (\S+)\..*": "Il faut ici une clé qui ait le droit {0}.",
    r"The key is not known, or no longer valid\..*": (
        "La clé n'est pas connue, ou n'est plus valable."
    ),
    r"The key (\S+) has not the scope (\S+), but (.+)\..*": (
        "La clé {0} n'a pas le droit {1}, mais {2}."
    ),
    r"The body did not come whole, or is no JSON in UTF-8\. Send it again\.": (
        "Le corps n'est pas venu entier, ou n'est pas du JSON en UTF-8."
    ),
    r"The file did not come whole\. Send it again\.": "Le fichier n'est pas venu entier.",
    r"A form was sent, not the file by itself\. Send its bytes as the body: (.+)\.": (
        "Un formulaire est venu, non le fichier lui-même, à envoyer tel quel\u202f: {0}."
    ),
    r"The body was sent as (.+), not as application/json\..*": (
        "Le corps est venu comme {0}, non comme application/json."
    ),
    r"The webhooks cannot be read\..*": "Les abonnements sont illisibles.",
    r"The keys of this server cannot be read\..*": "Les clés de ce serveur sont illisibles.",
    r"What is stored for this answer is damaged\..*": "Le fichier de cette réponse est abîmé.",
    r"What this needs cannot be read; the server's log says why\..*": (
        "Ce qu'il y faut est illisible\u202f; le journal du serveur dit pourquoi."
    ),
    r"The file cannot be taken in; the server's log says why\..*": (
        "Le fichier ne peut être reçu\u202f; le journal du serveur dit pourquoi."
    ),
    r"([0-9]+) questions are already waiting for their turn; ask again shortly\..*": (
        "{0} questions attendent déjà leur tour."
    ),
    r"No answer within (\S+) s; the process that computes was started anew\..*": (
        "Pas de réponse en {0} s\u202f; le processus qui calcule a été relancé."
    ),
    r"The process that computes ended before it answered; the server's log may say why\..*": (
        "Le processus qui calcule s'est arrêté avant de répondre."
    ),
    r"Try again; if it lasts, tell whoever runs this server.*": (
        "Une erreur imprévue s'est produite."
    ),
}
"""What ``detail`` says before its remedy, as patterns."""
