"""Faults on the running server: no wrong byte, no crash, and how it recovers.

``AFFLUX_FAULTS=full`` repeats them in earnest: 1,000 publications under load, 10,000 connections.
"""

import hashlib
import os
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import httpx2
import pytest

FULL = os.environ.get("AFFLUX_FAULTS") == "full"
PUBLICATIONS = 1000 if FULL else 60
CONNECTIONS = 10_000 if FULL else 1_000
MEGABYTE = 1024


def resident(server) -> int:
    """Most memory the server has held so far [kB]."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


class Poller(threading.Thread):
    """Asks for the same paths again and again; what is wrong is in ``faults``."""

    def __init__(self, url: str, paths: list[str]) -> None:
        super().__init__(daemon=True)
        self.url, self.paths = url, paths
        self.faults: list[object] = []
        self.bodies: dict[tuple[str, str], str] = {}
        self.answers, self._stop_asking = 0, threading.Event()

    def run(self) -> None:
        with httpx2.Client(base_url=self.url, trust_env=False, timeout=30) as client:
            while not self._stop_asking.is_set():
                for path in self.paths:
                    try:
                        self._ask(client, path)
                    except httpx2.HTTPError as error:
                        self.faults.append((path, repr(error)))

    def _ask(self, client: httpx2.Client, path: str) -> None:
        answer = client.get(path, headers={"Accept-Encoding": "identity"})
        self.answers += 1
        name = answer.headers.get("afflux-publication")
        digest = hashlib.sha256(answer.content).hexdigest()
        if answer.status_code != 200 or answer.headers["etag"] != f'"{digest}"':
            self.faults.append((path, answer.status_code, answer.text[:99]))
        # One publication has one answer to a question, whenever it is asked.
        elif self.bodies.setdefault((path, name), digest) != digest:
            self.faults.append((path, name, "two answers"))

    def finish(self) -> None:
        while not self.answers and self.is_alive():
            time.sleep(0.01)
        self._stop_asking.set()
        self.join()
        assert self.faults == []


PATHS = ["/v1/forecasts", "/v1/forecasts?to=2026-07-02", "/v1/zones"]


@pytest.fixture
def home(shaken) -> Path:
    return shaken[0]


@pytest.fixture
def polled(shaken):
    """A server that is asked all the time; it must have been well to the end."""
    server = shaken[1]
    poller = Poller(server.url, PATHS)
    poller.start()
    yield server
    poller.finish()
    assert server.process.poll() is None
    assert "Traceback" not in server.log.read_text()


def test_publications_replaced_many_times_under_load(home, publish, polled) -> None:
    """Recovery: none needed. Publications are made first: what is tested is the exchange."""
    made = [publish(home, seed=i, minutes=i, past=None).name for i in range(1, 5)]
    pointer = home / "data" / "publications" / "current"
    for i in range(PUBLICATIONS):
        aside = pointer.with_name("aside")
        aside.write_text(f"{made[i % len(made)]}\n")
        aside.replace(pointer)
        time.sleep(0.05)
    polled.wait_for(
        lambda: polled.get("/v1/zones").headers["afflux-publication"] == pointer.read_text().strip()
    )
    assert polled.get("/health/ready").json()["refused"] is None


def test_a_publisher_killed_at_any_moment(home, publish, polled, publishers) -> None:
    """Recovery: publish again; what was left is cleared away then."""
    folder = home / "data" / "publications"
    for moment in (0.07, 0.31) if not FULL else [i / 100 for i in range(1, 100)]:
        writer = publishers.start(folder)
        time.sleep(moment)
        os.kill(writer, signal.SIGKILL)
        assert publishers.said() == ""
    publish(home, minutes=60 * 24)
    assert not list(folder.glob(".building-2*"))
    name = (folder / "current").read_text().strip()
    polled.wait_for(lambda: polled.get("/v1/zones").headers["afflux-publication"] == name)


def test_a_full_disk_while_publishing(home, polled, publishers) -> None:
    """Recovery: make room, publish again. A file may not grow beyond a few kilobytes here."""
    before = polled.get("/v1/zones").headers["afflux-publication"]
    publishers.start(home / "data" / "publications", most=4096)
    assert "the previous one is still served" in publishers.said()
    time.sleep(0.5)
    assert polled.get("/v1/zones").headers["afflux-publication"] == before
    assert polled.get("/health/ready").json()["refused"] is None


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_disk_that_is_full_for_everything(tmp_path, publish, start) -> None:
    """The same on a real full disk, with the server's own home on it."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("this machine mounts no tmpfs")
    try:
        name = publish(disk).name
        server = start(disk)
        with pytest.raises(OSError, match="No space"), (disk / "filler").open("wb", 0) as filler:
            while True:
                filler.write(b"x" * 4096)
        from forecast.errors import PublicationError

        with pytest.raises(PublicationError, match="No space left"):
            publish(disk, seed=2, minutes=9)
        assert server.get("/v1/forecasts").headers["afflux-publication"] == name
        (disk / "filler").unlink()
        again = publish(disk, seed=2, minutes=9).name
        server.wait_for(lambda: server.get("/v1/forecasts").headers["afflux-publication"] == again)
        server.stop()
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_lake_and_models_removed(home, polled) -> None:
    """Recovery: none needed to serve; restore them before the next `afflux publish`."""
    for room in ("data/lake", "models", "configs"):
        (home / room).mkdir(parents=True, exist_ok=True)
        shutil.rmtree(home / room)
    time.sleep(0.5)
    assert polled.get("/health/ready").json()["status"] in ("ready", "degraded")
    assert polled.get("/health/ready").json()["refused"] is None


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_body_of_a_gigabyte(polled, method, chunked) -> None:
    """Nothing of it is kept: refused, or left unread. Recovery: none needed."""
    total = 1_000_000_000
    before = resident(polled)
    piece = b"x" * (1 << 20)
    head = f"{method} /v1/forecasts HTTP/1.1\r\nHost: x\r\n"
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {total}"
    frame = b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece
    with socket.create_connection(("127.0.0.1", polled.port), timeout=30) as connection:
        connection.sendall(f"{head}{length}\r\n\r\n".encode())
        sent = 0
        try:
            while sent < total:
                connection.sendall(frame)
                sent += len(piece)
        except OSError:
            pass  # Cut off: as good.
        else:
            assert connection.recv(99).startswith(b"HTTP/1.1 ")
    assert resident(polled) - before < 8 * MEGABYTE


def test_a_declared_gigabyte_is_refused_before_it_comes(polled) -> None:
    with socket.create_connection(("127.0.0.1", polled.port), timeout=10) as connection:
        connection.sendall(
            b"POST /v1/zones HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n"
        )
        assert connection.recv(99).startswith(b"HTTP/1.1 413 ")


def test_idle_connections(polled) -> None:
    """Others are answered meanwhile; the idle ones are closed by the server."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(CONNECTIONS, hard - 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted + 200), hard))
    idle = []
    try:
        for _ in range(wanted):
            idle.append(socket.create_connection(("127.0.0.1", polled.port), timeout=10))
        began = time.monotonic()
        assert polled.get("/v1/forecasts").status_code == 200
        assert time.monotonic() - began < 15
        if FULL:
            idle[0].settimeout(30)
            assert idle[0].recv(1) == b""  # Closed by the server, having asked nothing.
    finally:
        for connection in idle:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert polled.get("/v1/forecasts").status_code == 200
    assert resident(polled) < (64 + CONNECTIONS // 100) * MEGABYTE


def test_a_reader_that_does_not_read(tmp_path, publish, start, monkeypatch) -> None:
    """Pipelined requests whose answers nobody takes: little is held, then the connection ends."""
    monkeypatch.setenv("AFFLUX_HEAD_SECONDS", "1")
    publish(tmp_path)
    server = start()
    before = resident(server)
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.settimeout(10)
        slow.connect(("127.0.0.1", server.port))
        request = b"GET /v1/forecasts HTTP/1.1\r\nHost: x\r\n\r\n"
        with pytest.raises(OSError):
            for _ in range(5000):
                slow.sendall(request * 100)
        assert server.get("/v1/forecasts").status_code == 200
    assert resident(server) - before < 16 * MEGABYTE
    assert server.process.poll() is None
