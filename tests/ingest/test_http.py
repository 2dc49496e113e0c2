"""The client of providers against a real server: what it gives, and what it refuses."""

from __future__ import annotations

import gzip
import logging
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.errors import ConfigError, ProviderError
from forecast.ingest.answers import Hidden, pause_asked, reason
from forecast.ingest.http import Client, secret
from forecast.ingest.state import Fetches

NOW = pd.Timestamp("2026-09-01T12:00Z")
KEY = "s3cr+t/key"


def client(path: Path, **more: Any) -> Client:
    more = {"retry_seconds": 0.01, "timeout_seconds": 5.0} | more
    return Client(Fetches(path / "fetches.sqlite"), now=lambda: NOW, **more)


def refusal(path: Path, replay: Any, answer: Any, accept: tuple[str, ...] = (), **more: Any) -> Any:
    replay.routes["/x"] = [answer]
    with client(path, **more) as asking, pytest.raises(ProviderError) as caught:
        asking.get(f"{replay.url}/x", {"a": "1"}, secret_params={"apikey": KEY}, accept=accept)
    assert str(caught.value).startswith(f"{replay.url}/x?a=1: ")
    assert not any(KEY[:n] in str(caught.value) for n in (2, 4))
    return caught.value


def test_an_answer_comes_whole_with_the_query_and_a_clear_name(replay: Any, tmp_path: Path) -> None:
    body = b'{"caf\xc3\xa9": [1, 2.5, null]}'
    replay.routes["/x"] = [
        replay.Answer(body=gzip.compress(body), headers={"Content-Encoding": "gzip"})
    ]
    with client(tmp_path) as asking:
        answer = asking.get(
            f"{replay.url}/x?v=2",
            {"day": ["2026-08-01", "2026-08-02"], "q": "a b&c"},
            secret_params={"apikey": KEY},
        )
    assert answer.json() == {"café": [1, 2.5, None]}
    assert (answer.status, answer.unchanged) == (200, False)
    assert answer.url == f"{replay.url}/x?v=2&day=2026-08-01&day=2026-08-02&q=a+b%26c"
    (asked,) = replay.requests
    assert asked.values == {
        "v": ["2"], "day": ["2026-08-01", "2026-08-02"], "q": ["a b&c"], "apikey": [KEY]
    }  # fmt: skip
    assert asked.headers["user-agent"].startswith("afflux/")
    assert asked.headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (503, {}, ""),
        (502, {}, "<html>bad gateway"),
        (504, {}, ""),
        (
            429,
            {"Retry-After": "0"},
            '{"error":true,"reason":"Minutely API request limit exceeded."}',
        ),
        (429, {"Retry-After": "Tue, 01 Sep 2026 12:00:00 GMT"}, ""),
        (429, {}, '{"errorcode":10002,"reset_time":"2026-09-01T12:00:00Z","error":"Too many"}'),
        (429, {}, '{"errorcode":10002,"reset_time":"soon","error":"Too many"}'),
    ],
)
def test_what_may_pass_is_tried_again(
    replay: Any, tmp_path: Path, status: int, headers: dict[str, str], body: str
) -> None:
    no = replay.Answer(status, body, headers)
    replay.routes["/x"] = [no, no, replay.Answer(body="[1]")]
    with client(tmp_path) as asking:
        assert asking.get(f"{replay.url}/x").json() == [1]
    assert len(replay.requests) == 3
    replay.routes["/x"] = [no]
    replay.requests.clear()
    message = str(refusal(tmp_path, replay, no, tries=2))
    assert f"answered {status}" in message
    assert message.endswith("tried 2 times")
    assert len(replay.requests) == 2


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Retry-After": "3600"}, ""),
        ({"Retry-After": "Tue, 01 Sep 2026 13:00:00 GMT"}, ""),
        ({}, '{"errorcode":10002,"reset_time":"2026-09-01T13:00:00Z","error":"Too many requests"}'),
        ({}, '{"errorcode":10002,"reset_time":"2026-09-01T15:00:00+02:00","error":"Too many"}'),
    ],
)
def test_a_long_wait_is_left_to_the_next_run(
    replay: Any, tmp_path: Path, headers: dict[str, str], body: str
) -> None:
    error = refusal(tmp_path, replay, replay.Answer(429, body, headers))
    assert error.retry_at == "2026-09-01T13:00:00Z"
    assert "asks to wait until 2026-09-01T13:00:00Z" in str(error)
    assert len(replay.requests) == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"error":true,"reason":"Parameter \'run\' must not be set"}', "Parameter 'run' must not"),
        ('{"message":"ODSQL query is malformed: x","error_code":"ODSQLError"}', "ODSQL query is"),
        ('{"error":"no such account"}', "no such account"),
        ("<h1>Denied</h1>", "<h1>Denied</h1>"),
        ("", "answered 400"),
        (f'{{"message":"bad key {KEY}"}}', "bad key ***"),
        ('{"message":"bad key s3cr%2Bt%2Fkey"}', "bad key ***"),
    ],
)
def test_a_refusal_says_why_and_is_not_repeated(
    replay: Any, tmp_path: Path, body: str, said: str
) -> None:
    assert said in str(refusal(tmp_path, replay, replay.Answer(400, body)))
    assert len(replay.requests) == 1


@pytest.mark.parametrize("place", [*range(60, 82), *range(285, 303)])
def test_a_secret_that_an_excerpt_would_cut_is_hidden_whole(
    replay: Any, tmp_path: Path, place: int
) -> None:
    body = "x" * place + KEY
    for said in (body, f'{{"message":"{body}"}}'):
        refusal(tmp_path, replay, replay.Answer(400, said))


def test_a_truncated_answer_is_no_answer(replay: Any, tmp_path: Path) -> None:
    whole = b"x" * 5000
    broken = replay.Answer(body=whole, truncate=4000)
    assert "received 4000 bytes, expected 5000" in str(refusal(tmp_path, replay, broken, tries=2))
    replay.routes["/y"] = [broken, replay.Answer(body=whole)]
    with client(tmp_path) as asking:
        assert asking.get(f"{replay.url}/y").body == whole


def test_limits_of_size_time_and_kind(replay: Any, tmp_path: Path) -> None:
    answer = replay.Answer
    assert "exceeds 1,000 bytes" in str(
        refusal(tmp_path, replay, answer(body=b"x" * 5000), max_bytes=1000)
    )
    bomb = gzip.compress(bytes(1 << 20))
    packed = answer(body=bomb, headers={"Content-Encoding": "gzip"})
    assert len(bomb) < 5000
    assert "exceeds 5,000 bytes" in str(refusal(tmp_path, replay, packed, max_bytes=5000))
    drip = answer(body=b"x" * 50, drip=0.1)
    assert "not complete after 0.3 s" in str(refusal(tmp_path, replay, drip, deadline_seconds=0.3))
    silent = answer(body=b"x" * 50, drip=2.0)
    assert "nothing came for 0.2 s; tried 2 times" in str(
        refusal(tmp_path, replay, silent, timeout_seconds=0.2, tries=2)
    )
    page = answer(body="<html>Sign in", headers={"content-type": "text/html; charset=utf-8"})
    assert "expected application/json, the answer is text/html" in str(
        refusal(tmp_path, replay, page, accept=("application/json",))
    )
    assert "compression of the answer is broken" in str(
        refusal(tmp_path, replay, answer(body="plain", headers={"Content-Encoding": "gzip"}))
    )
    assert "coded as br" in str(
        refusal(tmp_path, replay, answer(body="x", headers={"Content-Encoding": "br"}))
    )
    assert str(refusal(tmp_path, replay, answer(500, "boom"))).endswith("answered 500 ('boom')")


def test_a_post_sends_a_form_and_hides_it(replay: Any, tmp_path: Path) -> None:
    replay.routes["/token"] = [
        replay.Answer(body='{"access_token": "abc"}'),
        replay.Answer(401, '{"error": "user marie with hunter22 and c2VjcmV0 is unknown"}'),
        replay.Answer(302, headers={"location": "/elsewhere"}),
    ]
    form = {"grant_type": "password", "username": "marie", "password": "hunter22"}
    with client(tmp_path) as asking:
        first = asking.post(
            f"{replay.url}/token", form, headers={"Authorization": "Basic c2VjcmV0"}
        )
        assert first.json() == {"access_token": "abc"}
        with pytest.raises(ProviderError, match=r"user \*\*\* with \*\*\* and \*\*\* is unknown"):
            asking.post(f"{replay.url}/token", form, headers={"Authorization": "Basic c2VjcmV0"})
        with pytest.raises(ProviderError, match="not followed"):
            asking.post(f"{replay.url}/token", form)
    asked = replay.requests[0]
    assert asked.method == "POST"
    assert asked.body == b"grant_type=password&username=marie&password=hunter22"
    assert asked.headers["authorization"] == "Basic c2VjcmV0"


def test_redirects_lead_nowhere_else(replay: Any, tmp_path: Path) -> None:
    replay.routes["/here"] = [replay.Answer(302, headers={"location": "/there?x=1"})]
    replay.routes["/there"] = [replay.Answer(body="{}")]
    with client(tmp_path) as asking:
        assert asking.get(f"{replay.url}/here").json() == {}
    other = replay.url.replace("127.0.0.1", "localhost")
    away = replay.Answer(301, headers={"location": f"{other}/there?apikey={KEY}"})
    assert "redirects to http://localhost, which is not followed" in str(
        refusal(tmp_path, replay, away)
    )
    loop = replay.Answer(307, headers={"location": "/x"})
    assert "redirected more than 5 times" in str(refusal(tmp_path, replay, loop))
    assert [asked.path for asked in replay.requests].count("/there") == 1


def test_nobody_there_and_no_address(tmp_path: Path) -> None:
    with client(tmp_path, tries=2) as asking:
        with pytest.raises(ProviderError, match=r"no whole answer came .*tried 2 times"):
            asking.get("http://127.0.0.1:9/x")
        with pytest.raises(ProviderError, match=r"expected an address in http:// or https://"):
            asking.get("ftp://127.0.0.1/x")
        with pytest.raises(ProviderError, match="the address is wrong"):
            asking.get("http://127.0.0.1:port/x")


def test_a_conditional_request_repeats_what_was_stored_only(replay: Any, tmp_path: Path) -> None:
    marks = {"ETag": '"v1"', "Last-Modified": "Mon, 31 Aug 2026 06:00:00 GMT"}

    def route(asked: Any) -> Any:
        if asked.headers.get("if-none-match") == '"v1"':
            return replay.Answer(304)
        return replay.Answer(body="[1]", headers=marks)

    replay.routes["/x"] = route
    fetches = Fetches(tmp_path / "fetches.sqlite")

    def ask(scope: str = "s") -> Client:
        return Client(fetches, now=lambda: NOW, provider="p", scope=scope)

    with ask() as asking:
        assert asking.get(f"{replay.url}/x", conditional=True).json() == [1]
        # Not stored: the run may have died before it could make rows of the body.
        assert asking.get(f"{replay.url}/x", conditional=True).json() == [1]
        fetches.stored("p", "s", None, version=1, now=NOW, validators=asking.validators)
        again = asking.get(f"{replay.url}/x", conditional=True)
        assert (again.unchanged, again.status, again.body) == (True, 304, b"")
        assert asking.get(f"{replay.url}/x").json() == [1]
    with ask("other") as asking:
        assert not asking.get(f"{replay.url}/x", conditional=True).unchanged
    asked = replay.requests[2]
    assert asked.headers["if-modified-since"] == marks["Last-Modified"]


def test_secrets_are_in_no_log_and_no_repr(
    replay: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    replay.routes["/x"] = [replay.Answer(503), replay.Answer(body="{}")]
    with client(tmp_path) as asking:
        answer = asking.get(
            f"{replay.url}/x",
            secret_params={"apikey": KEY},
            headers={"Authorization": "Apikey zzz9"},
        )
        assert any("HTTP Request: GET" in line for line in caplog.messages)
        for text in (caplog.text, repr(asking), repr(answer), repr(vars(asking)), answer.url):
            assert "s3cr" not in text
            assert "zzz9" not in text
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"s3cr" not in files


def test_a_body_that_is_no_json_is_named(replay: Any, tmp_path: Path) -> None:
    replay.routes["/x"] = [replay.Answer(body="<html>\nhello"), replay.Answer(body="[" * 100_000)]
    with client(tmp_path) as asking:
        for said in ("'<html> hello'", r"'\[\[\["):
            with pytest.raises(ProviderError, match=f"/x: expected JSON, .* begins with {said}"):
                asking.get(f"{replay.url}/x").json()


def test_secrets_come_from_the_environment() -> None:
    assert secret("SOME_KEY", {"SOME_KEY": " abc\n"}) == "abc"
    for environment in ({}, {"SOME_KEY": "  "}):
        with pytest.raises(ConfigError, match="environment variable SOME_KEY is not set"):
            secret("SOME_KEY", environment)
    with pytest.raises(ConfigError, match="SOME_KEY holds a line break") as caught:
        secret("SOME_KEY", {"SOME_KEY": "hunter22\nX-Other: y"})
    assert "hunter22" not in str(caught.value)


def test_a_header_that_cannot_be_sent_is_named_without_its_value(tmp_path: Path) -> None:
    with client(tmp_path) as asking:
        for value in ("clé-hunter22", "hunter22\r\nX-Other: y"):
            with pytest.raises(ProviderError, match="the header 'X-Key' cannot be sent") as caught:
                asking.get("http://127.0.0.1:9/x", headers={"X-Key": value})
            assert "hunter22" not in str(caught.value)


@given(st.binary(max_size=300), st.text(max_size=40))
def test_no_answer_confuses_what_reads_refusals(body: bytes, header: str) -> None:
    assert isinstance(reason(body), str)
    pause, until = pause_asked({"retry-after": header}, body, NOW)
    assert (pause is None) == (until is None)
    assert pause is None or pause >= 0


@given(st.text(min_size=4, max_size=20).filter(lambda t: t.split() == [t] and "*" not in t))
def test_a_hidden_text_does_not_come_out(text: str) -> None:
    assert text not in Hidden([text]).hide(f"said {text} twice {text}")
