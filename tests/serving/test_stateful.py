"""What holds whatever happens in whatever order: limits, keys, and what webhooks are told."""

import os
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from forecast.errors import InputError
from forecast.serving.hook_store import Hook
from forecast.serving.key_store import KeyStore
from forecast.serving.limits import Buckets
from forecast.serving.listing import LEVELS
from forecast.serving.notices import LOWER, RAISE, changed
from forecast.serving.options import SCOPES

FULL = os.environ.get("AFFLUX_FUZZ") == "full"
MANY = settings(
    max_examples=1000 if FULL else 25,
    stateful_step_count=60 if FULL else 25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
QUOTA, MOST = 6, 8


class Limiting(RuleBasedStateMachine):
    """In any minute nobody gets more than a full bucket and what flows in; memory stays small."""

    def __init__(self) -> None:
        super().__init__()
        self.buckets, self.now = Buckets("reads", QUOTA, most=MOST), 0.0
        self.granted: dict[str, list[float]] = {}
        self.promised: dict[str, float] = {}

    @rule(seconds=st.floats(0, 90))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(client=st.sampled_from("abcd"), times=st.integers(1, 9))
    def ask(self, client: str, times: int) -> None:
        for _ in range(times):
            spent = self.buckets.take(client, self.now)
            assert 0 <= spent.left <= QUOTA and spent.wait >= 1
            if self.promised.get(client, self.now + 1) <= self.now:
                assert not spent.refused  # Who waited as long as was said is let in.
            if spent.refused:
                self.promised[client] = self.now + spent.wait
            else:
                self.promised.pop(client, None)
                self.granted.setdefault(client, []).append(self.now)

    @invariant()
    def no_minute_has_more_than_a_bucket_and_its_flow(self) -> None:
        for granted in self.granted.values():
            for began in granted:
                of_minute = [at for at in granted if began <= at <= began + 60]
                assert len(of_minute) <= 2 * QUOTA

    @invariant()
    def memory_is_bounded(self) -> None:
        assert len(self.buckets) <= MOST


class Keeping(RuleBasedStateMachine):
    """A token opens what it was made for, from then until it ends, and nothing else ever does."""

    tokens = Bundle("tokens")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "keys.json"
        self.store, self.server = KeyStore(self.path), KeyStore(self.path)
        self.now = datetime(2026, 7, 1, tzinfo=UTC)
        self.known: dict[str, tuple[str, tuple[str, ...], datetime]] = {}

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(
        target=tokens,
        scopes=st.lists(st.sampled_from(SCOPES), min_size=1, unique=True),
        days=st.integers(1, 40),
    )
    def add(self, scopes: list[str], days: int) -> str:
        key, token = self.store.add("essai", scopes, self.now, days)
        self.known[token] = key.id, tuple(scopes), self.now + timedelta(days=days)
        return token

    @rule(target=tokens, token=tokens, days=st.integers(1, 40), overlap=st.integers(0, 9))
    def rotate(self, token: str, days: int, overlap: int) -> str:
        if token not in self.known:
            with pytest.raises(InputError, match="there is no key"):
                self.store.rotate("00000000", self.now, days, overlap)
            return token
        key_id, scopes, until = self.known[token]
        key, new = self.store.rotate(key_id, self.now, days, overlap)
        self.known[token] = key_id, scopes, min(until, self.now + timedelta(days=overlap))
        self.known[new] = key.id, scopes, self.now + timedelta(days=days)
        return new

    @rule(token=consumes(tokens))
    def revoke(self, token: str) -> None:
        if token in self.known:
            self.store.revoke(self.known.pop(token)[0])

    @rule(hours=st.integers(1, 24 * 9))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @invariant()
    def the_server_believes_exactly_these(self) -> None:
        for token, (key_id, scopes, until) in self.known.items():
            found = self.server.find(token, self.now)
            assert (found is not None) == (self.now < until)
            if found is not None:
                assert (found.id, found.scopes) == (key_id, scopes)
        assert {key.id for key in self.server.all()} == {k for k, _, _ in self.known.values()}
        assert self.server.find("afflux_guess", self.now) is None
        text = self.path.read_text() if self.path.exists() else ""
        assert not any(token in text for token in self.known)


class Telling(RuleBasedStateMachine):
    """What a receiver has put together from its notices is what holds, and wavering is not told."""

    def __init__(self) -> None:
        super().__init__()
        self.hook = Hook("hook", "essai", "", "", "orange", (), 14, "2026-07-01T06:00:00+00:00")
        self.told: dict[tuple[str, str], str] = {}
        self.receiver: dict[tuple[str, str], str] = {}
        self.today = date(2026, 7, 1)

    @rule(days=st.integers(1, 3))
    def wait(self, days: int) -> None:
        self.today += timedelta(days=days)

    @rule(rows=st.lists(st.tuples(st.integers(0, 5), st.lists(st.floats(0, 1), min_size=3,
                                                              max_size=3)), max_size=4,
                        unique_by=lambda row: row[0]))  # fmt: skip
    def publish(self, rows: list[tuple[int, list[float]]]) -> None:
        chances_of = {}
        forecasts = []
        for ahead, cuts in rows:
            noir, rouge, orange = sorted(cuts)  # of this level or worse
            chances = dict(zip(LEVELS, (1 - orange, orange - rouge, rouge - noir, noir),
                               strict=True))  # fmt: skip
            day = str(self.today + timedelta(days=ahead))
            chances_of["z", day] = chances
            forecasts.append(
                {"zone_id": "z", "zone_name": "Z", "target_date": day, "horizon_days": ahead,
                 "level_probabilities": chances, "influx": {"p50": 1}, "why": None}
            )  # fmt: skip
        before = dict(self.told)
        self.told, changes = changed(self.hook, self.told, forecasts, self.today)
        for change in changes:
            key = change["zone_id"], change["target_date"]
            assert change["level_before"] == self.receiver.get(key) == before.get(key)
            assert change["level"] != change["level_before"]
            if change["level"] is None:
                del self.receiver[key]
            else:
                self.receiver[key] = change["level"]
        for key, chances in chances_of.items():
            self.holds(before.get(key), self.told.get(key), chances)
        # The same again says nothing.
        assert changed(self.hook, self.told, forecasts, self.today) == (self.told, [])

    def holds(self, before: str | None, after: str | None, chances: dict[str, float]) -> None:
        def reached(level: str) -> float:
            return sum(chances[worse] for worse in LEVELS[LEVELS.index(level) :])

        worse = LEVELS[LEVELS.index(after or "vert") + 1 :]
        assert all(reached(level) < RAISE + 1e-6 for level in worse)
        if after is not None:
            assert reached(after) >= LOWER - 1e-6
            if before is None or LEVELS.index(before) < LEVELS.index(after):
                assert reached(after) >= RAISE - 1e-6
        if before is not None and reached(before) >= LOWER:
            assert after is not None and LEVELS.index(after) >= LEVELS.index(before)

    @invariant()
    def the_receiver_knows_what_is_told(self) -> None:
        today = str(self.today)
        receiver = {key: level for key, level in self.receiver.items() if key[1] >= today}
        told = {key: level for key, level in self.told.items() if key[1] >= today}
        assert receiver == told


Limiting.TestCase.settings = Keeping.TestCase.settings = Telling.TestCase.settings = MANY
TestLimiting, TestKeeping, TestTelling = Limiting.TestCase, Keeping.TestCase, Telling.TestCase
