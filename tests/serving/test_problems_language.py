"""Problems in French or in English, whichever the client prefers."""

import re

import pytest

from forecast.serving import problems_fr
from forecast.serving.problems import KINDS

FRENCH = {"Accept-Language": "fr-FR, en;q=0.5"}
CASES = {
    "/v1/nothing": "Il n'y a rien à /v1/nothing. Choisissez un des chemins de /docs.",
    "/v1/zones/x/forecasts": "Il n'y a pas de zone 'x' dans ce territoire\u202f: voyez",
    "/v1/forecasts?from=x": "from\u202f: un jour civil est attendu, AAAA-MM-JJ. Corrigez",
    "/v1/forecasts?nope=1": "nope\u202f: paramètre inconnu\u202f: retirez-le ou corrigez-en",
    "/v1/forecasts?to=2026-07-01&to=2026-07-02": "to\u202f: donné plusieurs fois.",
}


@pytest.mark.parametrize("path", CASES)
def test_a_french_reader_gets_french(client, path) -> None:
    answer = client.get(path, headers=FRENCH)
    assert answer.headers["content-language"] == "fr"
    assert "Accept-Language" in answer.headers["vary"]
    problem = answer.json()
    assert problem["detail"].startswith(CASES[path])
    english = client.get(path)
    assert english.headers["content-language"] == "en"
    assert english.json()["title"] != problem["title"]
    assert english.json()["type"] == problem["type"]
    for mine, theirs in zip(problem["errors"], english.json()["errors"], strict=True):
        assert mine["message"] != theirs["message"]
        assert mine["parameter"] == theirs["parameter"]


@pytest.mark.parametrize("path", ["/v1/forecasts", "/docs"])
def test_answers_do_not_vary_with_the_language(client, path) -> None:
    assert client.get(path, headers=FRENCH).content == client.get(path).content


def test_every_kind_is_told_in_french_with_french_typography() -> None:
    assert set(problems_fr.KINDS) >= {kind.slug for kind in KINDS}
    texts = [text for pair in problems_fr.KINDS.values() for text in pair]
    texts += [*problems_fr.MESSAGES.values(), *problems_fr.DETAILS.values()]
    for text in texts:
        for sign in ";!?":
            assert text.count(sign) == text.count(f"\u202f{sign}"), text
        colons = re.sub(r"[0-9]:[0-9]|Authorization:|://", "", text)
        assert colons.count(":") == colons.count("\u202f:"), text
        assert "afflux" not in text or "`" in text


def test_what_has_no_french_is_quoted_not_lost() -> None:
    said = problems_fr.detail("request-refused", "Something new happened.")
    assert said.startswith("Requête refusée. ") and "Something new happened." in said
    assert problems_fr.detail("no-such-kind", "Odd.").endswith("Odd.)")
    assert problems_fr.message("an unforeseen fault") == "an unforeseen fault"


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("fr", "fr"),
        ("fr-CA;q=0.2, en;q=0.1", "fr"),
        ("en, fr", "en"),
        ("de", "en"),
        ("fr;q=0", "en"),
        ("*", "en"),
        (";;,q=", "en"),
        ("x" * 5000 + ", fr", "fr"),
    ],
)
def test_the_header_is_read_as_rfc_9110_says(client, accept, language) -> None:
    answer = client.get("/v1/nothing", headers={"Accept-Language": accept})
    assert answer.headers["content-language"] == language
