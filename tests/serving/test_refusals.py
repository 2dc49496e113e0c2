"""What a strict reader would try next: wrong methods, bodies, types, parameters, and leaving."""

import shutil
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from forecast.serving.key_store import KeyStore
from forecast.serving.limits import MAX_DOCUMENT
from forecast.serving.options import SCOPES
from forecast.serving.problems import MAX_LISTED

ZONE, DAY = "241400415", "2026-07-04"
FAIR = {"zone_id": ZONE, "date": DAY, "name": "Foire", "attendance": 900}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, publish) -> Path:
    home = tmp_path_factory.mktemp("refusals")
    publish(home)
    return home


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def strict(home: Path, scratch: Path, start_once):
    """One server, where webhooks need no key."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(scratch))
        patch.setenv("AFFLUX_OPEN_SCOPES", "webhooks")
        patch.setenv("AFFLUX_KEY_RATE_LIMIT", "100000")
        return start_once(home)


@pytest.fixture(scope="module")
def token(home: Path) -> str:
    store = KeyStore(home / "data" / "keys.json")
    return store.add("essai", SCOPES, datetime.now(UTC), 1)[1]


@pytest.fixture(scope="module")
def ask(strict, token: str) -> Iterator[Callable[..., httpx2.Response]]:
    """Ask with the key, in French if wanted."""
    with httpx2.Client(base_url=strict.url, trust_env=False, timeout=30) as client:

        def ask(method: str, path: str, *, french: bool = False, **more) -> httpx2.Response:
            headers = {"authorization": f"Bearer {token}"} | more.pop("headers", {})
            headers |= {"accept-language": "fr"} if french else {}
            return client.request(method, path, headers=headers, **more)

        yield ask


def kind(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].partition("#")[2]


def test_a_thousand_requests_at_once_are_answered_in_turn(strict) -> None:
    """Stored answers that wait behind another one in a pipeline are not answered one in another."""
    request = "GET {} HTTP/1.1\r\nHost: x\r\n\r\n"
    sent = request.format("/v1/forecasts?to=2026-07-02") + 1500 * request.format("/v1/zones")
    with socket.create_connection(("127.0.0.1", strict.port), timeout=20) as connection:
        connection.sendall(sent.encode())
        said = b""
        while said.count(b"HTTP/1.1 200 OK") < 1501:
            chunk = connection.recv(1 << 20)
            assert chunk, "closed before all were answered"
            said += chunk
    assert "Traceback" not in strict.log.read_text()


def test_every_path_takes_its_methods_and_names_them(ask) -> None:
    document = ask("GET", "/openapi.json").json()["paths"]
    others = {"/metrics": {"get"}, "/docs": {"get"}, "/openapi.json": {"get"}, "/": {"get"}}
    for path, operations in {**document, **others}.items():
        takes = {method.upper() for method in operations}
        takes |= {"HEAD"} if "GET" in takes else set()
        place = path.replace("{extension}", "json").replace("{target_date}", DAY)
        place = place.replace("{zone_id}", ZONE).replace("{source}", "waste")
        place = place.replace("{webhook_id}", "hook_0")
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            answer = ask(method, place)
            if method in takes:
                assert answer.status_code != 405, (method, path)
            else:
                assert answer.status_code == 405, (method, path)
                assert set(answer.headers["allow"].split(", ")) == takes, (method, path)
                assert answer.headers["content-type"] == "application/problem+json"


def test_head_is_get_without_its_body_wherever_get_is(ask) -> None:
    for path, operations in ask("GET", "/openapi.json").json()["paths"].items():
        if "get" not in operations:
            continue
        place = path.replace("{extension}", "json").replace("{target_date}", DAY)
        place = place.replace("{zone_id}", ZONE)
        full, head = ask("GET", place), ask("HEAD", place)
        assert (head.status_code, head.content) == (full.status_code, b""), path
        for name in ("content-type", "content-length", "etag", "vary", "last-modified"):
            assert head.headers.get(name) == full.headers.get(name), (path, name)


def test_no_route_ignores_a_parameter(ask) -> None:
    document = ask("GET", "/openapi.json").json()["paths"]
    asked = [(m, p) for p, operations in document.items() for m in operations]
    for method, path in [*asked, ("get", "/metrics"), ("get", "/openapi.json")]:
        place = path.replace("{extension}", "json").replace("{target_date}", DAY)
        place = place.replace("{zone_id}", ZONE).replace("{source}", "waste")
        place = place.replace("{webhook_id}", "hook_0")
        body = {"json": {"events": [FAIR], "url": "https://1.1.1.1"}} if method == "post" else {}
        answer = ask(method.upper(), f"{place}?colour=red", **body)
        assert kind(answer) == (422, "invalid-parameter"), (method, path)
        assert "colour" in [entry["parameter"] for entry in answer.json()["errors"]], path
    # People follow links that others have added to.
    assert ask("GET", "/docs?utm_source=lettre").status_code == 200


def test_only_operations_with_a_key_say_that_they_need_one(ask) -> None:
    document = ask("GET", "/openapi.json").json()
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            keyed = "webhooks" in path or method == "post"
            assert ("security" in operation) == ("401" in operation["responses"]) == keyed


def test_a_body_that_is_no_json_object_is_said_as_what_it_is(ask) -> None:
    for path in ("/v1/scenarios", "/v1/webhooks"):
        form = ask("POST", path, data={"a": "b"})
        assert kind(form) == (415, "unsupported-media-type")
        assert "application/x-www-form-urlencoded" in form.json()["detail"]
        typed = {"content-type": "application/json"}
        broken = ask("POST", path, content=b'{"events": [', headers=typed)
        assert kind(broken) == (422, "invalid-parameter")
        assert broken.json()["errors"][0]["parameter"] == "body"
        assert kind(ask("POST", path, content=b"\xff", headers=typed)) == (400, "request-refused")
        digits = b'{"horizon_days_at_most": ' + b"9" * 5000 + b"}"
        assert kind(ask("POST", path, content=digits, headers=typed)) == (400, "request-refused")
    sent = ask("POST", "/v1/sources/waste/files", files={"file": ("mai.csv", b"a,b")})
    assert kind(sent) == (415, "unsupported-media-type")
    assert "--data-binary" in sent.json()["detail"]


def test_a_document_is_small_even_where_files_may_be_large(ask) -> None:
    typed = {"content-type": "application/json", "authorization": "Bearer afflux_guess"}
    for path in ("/v1/scenarios", "/v1/webhooks", "/v1/zones"):
        assert (
            ask("POST", path, content=b"[" * (MAX_DOCUMENT + 1), headers=typed).status_code == 413
        )


def test_an_answer_does_not_grow_with_its_request(ask) -> None:
    many = [{**FAIR, "zone_id": "x" * 5000, "date": "2020-01-01"}] * 100
    wrong = [{"x" * 900: i} for i in range(100)]
    for body in ({"events": many}, {"events": wrong}, {"weather": [{"y": 1}] * 500}):
        answer = ask("POST", "/v1/scenarios", json=body)
        assert answer.status_code == 422
        assert len(answer.json()["errors"]) <= MAX_LISTED
        assert len(answer.content) < 80_000


def test_who_leaves_in_the_middle_leaves_no_trace(strict, scratch: Path, token: str) -> None:
    for path in ("/v1/sources/waste/files", "/v1/scenarios", "/v1/webhooks"):
        with socket.create_connection(("127.0.0.1", strict.port), timeout=10) as connection:
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
            connection.sendall(f"{head}Content-Length: 1000\r\n\r\nzone_id".encode())
            time.sleep(0.1)
    left = [f'"route": "{path}", "status": 400' for path in ("/v1/scenarios", "/v1/webhooks")]
    left.append('"route": "/v1/sources/{source}/files", "status": 400')
    strict.wait_for(lambda: all(said in strict.log.read_text() for said in left))
    assert "Traceback" not in strict.log.read_text()
    assert list(scratch.iterdir()) == []


def test_no_room_for_a_file_is_said_and_logged(ask, strict, scratch: Path) -> None:
    shutil.rmtree(scratch)
    try:
        answer = ask("POST", "/v1/sources/waste/files", content=b"a,b\n")
        assert kind(answer) == (503, "worker-unavailable")
        assert str(scratch) not in answer.text and int(answer.headers["retry-after"]) > 0
    finally:
        scratch.mkdir()
    assert "uploads: " in strict.log.read_text()
    assert "Traceback" not in strict.log.read_text()


def test_an_open_scope_needs_no_file_of_keys(ask, strict, home: Path) -> None:
    path = home / "data" / "keys.json"
    whole = path.read_bytes()
    try:
        path.write_bytes(b"{")
        assert strict.get("/v1/webhooks").json() == {"webhooks": []}
        assert kind(ask("GET", "/v1/webhooks")) == (503, "keys-unreadable")
    finally:
        path.write_bytes(whole)


def test_only_the_two_questions_about_health_are_not_counted(
    tmp_path, publish, start, monkeypatch
) -> None:
    monkeypatch.setenv("AFFLUX_UNLIMITED", "")
    monkeypatch.setenv("AFFLUX_RATE_LIMIT", "20")
    server = start()
    with httpx2.Client(base_url=server.url, trust_env=False) as client:
        found = [client.get("/v1/zones/health/live").status_code for _ in range(25)]
        assert found.count(429) >= 4
        assert client.get("/health/live").status_code == 200


TYPED, OLD = {"content-type": "application/json"}, "2020-01-01"
FRENCH: list[tuple[str, str, dict]] = [
    ("GET", "/v1/nothing", {}),
    ("PUT", "/v1/zones", {}),
    ("GET", "/v1/zones/q/forecasts", {}),
    ("GET", "/v1/forecasts?quantiles=p11", {}),
    ("GET", "/v1/forecasts?horizon_days=-1&horizon_days=999&horizon_days=x&locale=de", {}),
    ("GET", "/v1/forecasts?from=x&to=2026-02-30&as_of=x&level_at_least=x&colour=red", {}),
    ("GET", "/v1/forecasts?from=2026-07-03&to=2026-07-01", {}),
    ("GET", "/v1/forecasts?to=2026-07-03&to=2026-07-01", {}),
    ("GET", "/v1/forecasts?as_of=2020-01-01T00:00:00Z", {}),
    ("GET", "/v1/forecasts.xml", {}),
    ("GET", "/v1/forecasts.parquet?zone_id=241400415", {}),
    ("GET", "/v1/forecasts", {"headers": {"accept": "image/png"}}),
    ("GET", f"/v1/zones/{ZONE}/forecasts/2020-01-01/explanation", {}),
    ("GET", f"/v1/forecasts?zone_id={'a' * 9000}", {}),
    ("GET", "/v1/forecasts?to=2026-07-02", {"headers": {"cookie": "a" * 40_000}}),
    ("GET", "/metrics?colour=red", {}),
    ("GET", "/v1/webhooks", {"headers": {"authorization": "Basic YTpi"}}),
    ("GET", "/v1/webhooks", {"headers": {"authorization": "Bearer afflux_x"}}),
    ("DELETE", "/v1/webhooks/hook_0", {}),
    ("POST", "/v1/sources/zz/files", {"content": b"a"}),
    ("POST", "/v1/sources/waste/files", {"files": {"file": b"a"}}),
    ("POST", "/v1/sources/waste/files", {"content": b"a"}),  # this home has no configuration
    ("POST", "/v1/scenarios", {"json": {"events": [FAIR]}}),  # nor a model
    ("POST", "/v1/scenarios", {"data": {"a": "b"}}),
    ("POST", "/v1/scenarios", {"content": b"{", "headers": TYPED}),
    ("POST", "/v1/scenarios", {"content": b"\xff", "headers": TYPED}),
    ("POST", "/v1/scenarios", {"content": b"[" * (MAX_DOCUMENT + 1)}),
    ("POST", "/v1/scenarios", {"json": []}),
    ("POST", "/v1/scenarios", {"json": {}}),
    ("POST", "/v1/scenarios", {"json": {"zone_id": [], "weather": [3], "events": 3}}),
    ("POST", "/v1/scenarios", {"json": {"weather": [{"target_date": DAY}]}}),
    ("POST", "/v1/scenarios", {"json": {"weather": [{"target_date": DAY, "sunshine": 25}] * 501}}),
    ("POST", "/v1/scenarios",
     {"json": {"weather": [{"target_date": DAY, "temperature_min": 9, "temperature_max": 1}]}}),
    ("POST", "/v1/scenarios", {"json": {"weather": [{"target_date": OLD, "sunshine": 1}]}}),
    ("POST", "/v1/scenarios",
     {"json": {"events": [{**FAIR, "name": " ", "attendance": -1, "end_date": "x"}, {}]}}),
    ("POST", "/v1/scenarios", {"json": {"events": [{**FAIR, "name": "a" * 101}]}}),
    ("POST", "/v1/scenarios", {"json": {"events": [{**FAIR, "end_date": "2026-07-01"}]}}),
    ("POST", "/v1/scenarios", {"json": {"events": [{**FAIR, "zone_id": "x", "date": OLD}]}}),
    ("POST", "/v1/scenarios", {"json": {"events": [FAIR], "from": DAY, "to": "2026-07-03"}}),
    ("POST", "/v1/webhooks", {"json": {"url": 3, "level_at_least": "vert"}}),
    ("POST", "/v1/webhooks", {"json": {"url": "https://1.1.1.1/", "horizon_days_at_most": 99}}),
    *(("POST", "/v1/webhooks", {"json": {"url": url, "zone_id": ["x"]}}) for url in (
        "http://1.1.1.1/", "https://10.0.0.1/", "https://nowhere.invalid/", "https://[::1/",
        "https://a:b@1.1.1.1/", "https://é.fr/",
    )),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "more"), FRENCH)
def test_every_refusal_is_french_for_a_french_reader(ask, method: str, path: str, more) -> None:
    answer = ask(method, path, french=True, **json_safe(more))
    english = ask(method, path, **json_safe(more))
    assert answer.status_code == english.status_code >= 400
    assert answer.headers["content-language"] == "fr"
    mine, theirs = answer.json(), english.json()
    assert "En anglais" not in mine["detail"]
    assert mine["title"] != theirs["title"] and mine["detail"] != theirs["detail"]
    for ours, other in zip(mine["errors"], theirs["errors"], strict=True):
        assert ours["message"] != other["message"]


def json_safe(more: dict) -> dict:
    """A copy, for a client takes the headers out."""
    return {**more, **({"headers": dict(more["headers"])} if "headers" in more else {})}


def test_the_history_as_csv_says_its_run(ask) -> None:
    head, first, *_ = ask("GET", f"/v1/zones/{ZONE}/history.csv").text.splitlines()
    row = dict(zip(head.split(","), first.split(","), strict=True))
    assert (row["model_version"], row["lake_version"]) == ("7", "42")
    assert (row["origin"], row["published_at"]) == ("2026-07-01T06:00:00Z", "2026-07-01T06:05:00Z")
    assert row["unit"] == "visitors per day"
