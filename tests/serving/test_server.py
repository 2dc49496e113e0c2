"""The serving process: light, quick to start, never without its last good publication."""

import json
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from forecast.errors import AffluxError, InputError
from forecast.serving.server import serve
from forecast.settings import Settings

HEAVY = ["mlflow", "lightgbm", "pandas", "sklearn", "numpy", "pyarrow", "numba"]


def test_the_serving_process_imports_nothing_heavy():
    script = (
        "import json, sys; from forecast.serving.app import create_app; app = create_app(); "
        "import forecast.serving.docs_page as d; d.docs_page(app.openapi()); "
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    modules = json.loads(said.stdout)
    assert "fastapi" in modules
    assert set(modules).isdisjoint(HEAVY)


def test_it_lives_in_64_megabytes(server, client):
    paths = ["/v1/forecasts", "/v1/forecasts?to=2026-07-03", "/docs", "/openapi.json"]
    paths += ["/v1/scoreboard", "/v1/model", "/v1/sources", "/v1/changes.atom"]
    paths += ["/v1/forecasts.csv?locale=fr", "/v1/forecasts.geojson?horizon_days=1"]
    paths += ["/v1/zones/241400415/history", "/v1/zones/241400415/history.csv"]
    paths += ["/v1/zones/241400415/forecasts/2026-07-03/explanation", "/v1/zones.geojson"]
    for path in paths * 3:
        assert client.get(path).status_code == 200
    status = Path(f"/proc/{server.process.pid}/status")
    if not status.exists():
        pytest.skip("resident memory is read from /proc")
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    assert int(peak.split()[1]) < 64 * 1024


def test_an_empty_home_is_served_as_soon_as_something_is_published(tmp_path, publish, start):
    server = start()
    for path in ("/v1/zones", "/v1/forecasts", "/health/ready"):
        answer = server.get(path)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert "afflux publish" in answer.json()["detail"]
    assert server.get("/docs").status_code == 200
    publish(tmp_path)
    server.wait_for(lambda: server.get("/health/ready").status_code == 200)
    assert server.get("/v1/forecasts").status_code == 200


def test_new_publications_are_taken_up_under_load_without_a_failure(tmp_path, publish, start):
    names = [publish(tmp_path, seed=1, minutes=1).name]
    server = start()
    faults, seen, taken, stop = [], set(), [], threading.Event()

    def poll(paths: list[str]) -> None:
        import httpx2

        with httpx2.Client(base_url=server.url, trust_env=False, timeout=30) as client:
            while not stop.is_set():
                for path in paths:
                    answer = client.get(path)
                    name = answer.headers.get("afflux-publication", "")
                    if answer.status_code != 200 or not name:
                        faults.append((path, answer.status_code, answer.text[:200]))
                        continue
                    # Name and content belong together: the minute is in both.
                    published = answer.json()["metadata"]["published_at"]
                    if published.replace("-", "").replace(":", "") != name.partition("-")[0]:
                        faults.append((path, name, published))
                    seen.add(name)

    paths = [["/v1/forecasts", "/v1/zones"], ["/v1/forecasts?to=2026-07-02", "/v1/forecasts"]]
    pollers = [threading.Thread(target=poll, args=(p,)) for p in paths]
    for poller in pollers:
        poller.start()
    try:
        for minute in range(2, 7):
            names.append(publish(tmp_path, seed=minute, minutes=minute, past=None).name)
            taken.append(
                server.wait_for(
                    lambda: server.get("/v1/zones").headers["afflux-publication"] == names[-1]
                )
            )
            server.wait_for(lambda: names[-1] in seen)
    finally:
        stop.set()
        for poller in pollers:
            poller.join()
    assert faults == []
    assert sorted(taken)[2] < 1.0  # Most are; one may meet a machine that is busy elsewhere.


def test_a_corrupt_publication_is_refused_and_the_last_good_one_stays(tmp_path, publish, start):
    good = publish(tmp_path, minutes=1).name
    server = start()
    folder = tmp_path / "data" / "publications"
    aside = publish(tmp_path / "aside", seed=2, minutes=2)
    bad = folder / aside.name
    aside.rename(bad)
    whole = (bad / "forecasts.json").read_bytes()
    (bad / "forecasts.json").write_bytes(whole[:-10])
    (folder / "new").write_text(f"{bad.name}\n")
    (folder / "new").replace(folder / "current")
    server.wait_for(lambda: server.get("/health/ready").json()["refused"] is not None)
    ready = server.get("/health/ready")
    assert (ready.status_code, ready.json()["publication"]) == (200, good)
    assert ready.json()["status"] == "degraded"
    assert "forecasts.json: has" in ready.json()["refused"]
    answer = server.get("/v1/forecasts")
    assert (answer.status_code, answer.headers["afflux-publication"]) == (200, good)

    (bad / "forecasts.json").write_bytes(whole)  # Mended without a new pointer: read again.
    server.wait_for(lambda: server.get("/health/ready").json()["refused"] is None)
    assert server.get("/health/ready").json()["publication"] == bad.name


def test_publications_removed_under_the_server_are_served_on(tmp_path, publish, start):
    import shutil

    name = publish(tmp_path).name
    server = start()
    shutil.rmtree(tmp_path / "data")
    server.wait_for(lambda: server.get("/health/ready").json()["refused"] is not None)
    assert server.get("/v1/forecasts").headers["afflux-publication"] == name
    assert "current is gone" in server.get("/health/ready").json()["refused"]


@pytest.mark.parametrize("stopping", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_gracefully(tmp_path, start, stopping):
    server = start()
    server.process.send_signal(stopping)
    server.process.wait(timeout=60)
    assert "Application shutdown complete" in server.log.read_text()
    assert "Traceback" not in server.log.read_text()


def test_a_port_in_use_is_said_in_one_line(tmp_path):
    settings = Settings(home=tmp_path, lake="", config=None)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(AffluxError, match=f"port {port} of 127.0.0.1 is in use") as caught:
            serve(settings, port=port)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("host", "port"), [("no such host", 8000), ("127.0.0.1", 99_999)])
def test_what_cannot_be_an_address_is_bad_input(tmp_path, host, port):
    with pytest.raises(InputError, match="cannot serve on"):
        serve(Settings(home=tmp_path, lake="", config=None), host=host, port=port)


def test_serve_becomes_the_server(tmp_path, publish):
    publish(tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = (
        "from pathlib import Path; from forecast.serving.server import serve; "
        "from forecast.settings import Settings; "
        f"serve(Settings(Path({str(tmp_path)!r}), '', None), port={port})"
    )
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE) as process:
        said = b""
        while b"Uvicorn running on" not in said:
            line = process.stderr.readline()
            assert line, said.decode()
            said += line
        assert b"serving publication 20260701T060500Z-" in said
        process.terminate()
        assert b"Application shutdown complete" in process.stderr.read()
