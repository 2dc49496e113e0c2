"""The one HTTP client of all providers: patient, bounded, and discreet about secrets.

A request is tried again after a failure that may pass (no connection, time out, 429, 502, 503,
504), at the pace the server asks for. What comes back is whole, of the expected type and of bounded
size, or it is a :class:`~forecast.errors.ProviderError`. Redirects lead nowhere but to the same
host. Neither errors nor logs hold a secret.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Self
from urllib.parse import urlencode

import pandas as pd
import tenacity

from forecast.errors import ConfigError, ProviderError
from forecast.ingest.answers import Hidden, Response
from forecast.ingest.state import Fetches, Validators
from forecast.ingest.wire import MayPass, Question, Wire

__all__ = ["Client", "Response", "secret"]

_PUBLIC_HEADERS = frozenset({"accept", "accept-language", "content-type"})
_LONGEST_BACKOFF = 30.0
"""Between two attempts where the server does not say [s]."""


def secret(name: str, environment: Mapping[str, str] | None = None) -> str:
    """The secret that an environment variable holds.

    Raises
    ------
    ConfigError
        If the variable is not set, or holds what no key or password does.
    """
    value = (os.environ if environment is None else environment).get(name, "").strip()
    if not value.isprintable():
        raise ConfigError(
            f"the environment variable {name} holds a line break or another control character; "
            "expected one key or password, on one line"
        )
    if not value:
        raise ConfigError(
            f"the environment variable {name} is not set; the configuration names it as holding "
            "the key of a provider: set it, or disable the provider"
        )
    return value


class Client:
    """Gets and posts on behalf of one provider.

    ``fetches`` remembers the validators of conditional requests for ``provider`` as configured in
    ``scope``; ``now`` gives the present instant [UTC]. ``timeout_seconds`` bounds each connection
    and each pause between bytes, ``deadline_seconds`` a whole answer, ``tries`` the attempts,
    ``max_bytes`` the body after decompression, and ``retry_seconds`` is the first pause before
    another attempt, doubled (with jitter) at each.

    Validators that answers bring are kept in ``validators`` until the runner stores them together
    with what it made of the bodies: a run that dies between the two asks again.
    """

    def __init__(
        self,
        fetches: Fetches,
        *,
        now: Callable[[], pd.Timestamp],
        provider: str = "",
        scope: str = "",
        timeout_seconds: float = 30,
        deadline_seconds: float = 600,
        tries: int = 4,
        max_bytes: int = 64 << 20,
        retry_seconds: float = 1.0,
    ) -> None:
        self.validators: dict[str, Validators] = {}
        self._fetches, self._provider, self._scope = fetches, provider, scope
        self._tries, self._max_bytes, self._first_pause = tries, max_bytes, retry_seconds
        self._wire = Wire(now, timeout_seconds, deadline_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that were kept open."""
        self._wire.close()

    def get(
        self,
        url: str,
        params: Mapping[str, str | Sequence[str]] = {},
        *,
        headers: Mapping[str, str] = {},
        secret_params: Mapping[str, str] = {},
        accept: tuple[str, ...] = (),
        conditional: bool = False,
        max_bytes: int | None = None,
    ) -> Response:
        """Get ``url`` with ``params`` and ``secret_params`` in its query.

        ``accept`` lists the content types that will do (none: any); with ``conditional`` the
        answer may be ``unchanged``. Values of ``headers`` count as secret.

        Raises
        ------
        ProviderError
            If there is no whole answer of status 2xx; says what the server said.
        """
        shown = _address(url, params)
        given = _plain(headers, shown)
        if conditional:
            known = self._fetches.validators(self._provider, self._scope, shown)
            given |= known.headers() if known else {}
        limit = self._max_bytes if max_bytes is None else max_bytes
        hidden = Hidden([*secret_params.values(), *_private(headers, _PUBLIC_HEADERS)])
        full = _address(shown, secret_params)
        answer = self._patiently(Question("GET", full, shown, given, None, accept, limit, hidden))
        if conditional and not answer.unchanged:
            self.validators[shown] = Validators.of(answer.headers)
        return answer

    def post(
        self,
        url: str,
        form: Mapping[str, str],
        *,
        headers: Mapping[str, str] = {},
        accept: tuple[str, ...] = (),
        max_bytes: int | None = None,
    ) -> Response:
        """Post a form; its values and those of ``headers`` count as secret. Raises as `get`."""
        given = _plain(headers, url) | {"Content-Type": "application/x-www-form-urlencoded"}
        limit = self._max_bytes if max_bytes is None else max_bytes
        hidden = Hidden([*_private(form, {"grant_type"}), *_private(headers, _PUBLIC_HEADERS)])
        body = urlencode(form).encode()
        return self._patiently(Question("POST", url, url, given, body, accept, limit, hidden))

    def _patiently(self, question: Question) -> Response:
        """Try until it works, up to ``tries`` times; no error that leaves holds a secret."""
        usual = tenacity.wait_exponential_jitter(
            multiplier=self._first_pause, max=_LONGEST_BACKOFF, jitter=self._first_pause
        )

        def pause(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked = error.pause if isinstance(error, MayPass) else None
            return usual(state) if asked is None else asked

        attempts = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self._tries),
            retry=tenacity.retry_if_exception_type(MayPass),
            wait=pause,
            reraise=True,
        )
        try:
            return attempts(self._wire.ask, question)
        except MayPass as error:
            times = "once" if self._tries == 1 else f"{self._tries} times"
            message = f"{question.shown}: {error}; tried {times}"
            raise ProviderError(question.hidden.hide(message), error.until) from None
        except ProviderError as error:
            raise ProviderError(question.hidden.hide(str(error)), error.retry_at) from None


def _plain(headers: Mapping[str, str], shown: str) -> dict[str, str]:
    """The headers, if HTTP can carry them; their values are not repeated."""
    for name, value in headers.items():
        if not (name.isascii() and value.isascii() and (name + value).isprintable()):
            raise ProviderError(
                f"{shown}: the header {name!r} cannot be sent: expected letters, digits and signs "
                "of ASCII; correct the key it is made of"
            )
    return dict(headers)


def _private(values: Mapping[str, str], public: Collection[str]) -> list[str]:
    return [value for name, value in values.items() if name.lower() not in public]


def _address(url: str, params: Mapping[str, str | Sequence[str]]) -> str:
    query = urlencode(params, doseq=True, safe=",:'")
    return f"{url}{'&' if '?' in url else '?'}{query}" if query else url
