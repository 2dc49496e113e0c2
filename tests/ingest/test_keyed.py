"""Keys of addresses, as a real server gets them; nothing of them is stored or said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forecast.errors import ConfigError, ProviderError
from forecast.ingest.http import Client
from forecast.ingest.keyed import KeyedOptions, ask
from forecast.ingest.state import Fetches

KEY = "s3cret+key/9"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    now = pd.Timestamp("2026-09-01T12:00Z")
    fetches = Fetches(tmp_path / "fetches.sqlite")
    with Client(fetches, now=lambda: now, retry_seconds=0.01) as made:
        yield made


def test_a_key_goes_into_its_header_or_its_parameter(
    replay: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    replay.routes["/x"] = [replay.Answer(body="{}")]
    url = f"{replay.url}/x"
    with pytest.raises(ConfigError, match="FEED_KEY is not set"):
        ask(client, url, KeyedOptions(key_env="FEED_KEY"))
    monkeypatch.setenv("FEED_KEY", KEY)
    for options in (
        KeyedOptions(),
        KeyedOptions(key_env="FEED_KEY", key_header="X-API-Key"),
        KeyedOptions(key_env="FEED_KEY", key_param="token"),
    ):
        assert ask(client, url, options).url == url
    plain, header, query = replay.requests
    assert "authorization" not in plain.headers and plain.query == {}
    assert (header.headers["x-api-key"], header.query) == (KEY, {})
    assert query.query == {"token": KEY}


@pytest.mark.parametrize("how", [{}, {"key_param": "token"}])
def test_a_server_that_repeats_the_key_makes_nobody_see_it(
    replay: Any, client: Client, monkeypatch: pytest.MonkeyPatch, how: dict[str, str]
) -> None:
    monkeypatch.setenv("FEED_KEY", KEY)
    told = f'{{"message": "no right for {KEY} or s3cret%2Bkey%2F9"}}'
    replay.routes["/x"] = [replay.Answer(403, told)]
    with pytest.raises(ProviderError, match=r"no right for \*\*\* or \*\*\*") as caught:
        ask(client, f"{replay.url}/x", KeyedOptions(key_env="FEED_KEY", **how))
    assert "s3cret" not in str(caught.value)
