"""Every exception that Afflux raises on purpose.

::

    AffluxError                      exit status 1
     ├── InputError                  exit status 2: what the user gave cannot be used
     │    ├── ConfigError            a configuration file or an environment variable
     │    ├── ContractError          files that do not follow the input contract (holds a report)
     │    └── SchemaError            a table at the door of a room lacks or breaks a column
     ├── ProviderError               a provider cannot be reached or answers what it should not
     ├── LakeError                   the observations or forecasts cannot be read or written
     ├── ModelError                  a model cannot be trained, read or used
     │    ├── ModelIntegrityError    a file of the bundle does not match its SHA-256
     │    └── NoModelError           no such model, or no champion yet
     ├── ClientError                a server asked by forecast.client refuses or cannot be reached
     ├── HookError                  a webhook cannot be kept or may not be called
     ├── WorkerError                a process beside the server is busy, slow or gone
     └── PublicationError            a publication is absent, truncated or corrupt

A message says what is wrong, where, what was expected and what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class AffluxError(Exception):
    """Root of all errors raised by Afflux."""

    exit_code = 1


class InputError(AffluxError):
    """What the user gave cannot be used."""

    exit_code = 2


class ConfigError(InputError):
    """A configuration file or an environment variable is wrong."""


class ContractError(InputError):
    """Input files break the input contract; ``report`` lists every problem."""

    def __init__(self, message: str, report: object = None) -> None:
        super().__init__(message)
        self.report = report


class SchemaError(InputError):
    """A table lacks a column, or a column holds what its schema forbids."""


class ProviderError(AffluxError):
    """A provider of data cannot be reached, refuses, or answers what it should not.

    ``retry_at`` is when it asked to be tried again, if it did (UTC, ISO 8601).
    """

    def __init__(self, message: str, retry_at: str | None = None) -> None:
        super().__init__(message)
        self.retry_at = retry_at


class LakeError(AffluxError):
    """The lake cannot be read or written."""


class ModelError(AffluxError):
    """A model cannot be trained, read or used."""


class ModelIntegrityError(ModelError):
    """A file of a model bundle is absent or does not match its SHA-256."""


class NoModelError(ModelError):
    """No such model version, or no champion has been promoted yet."""


class PublicationError(AffluxError):
    """A publication is absent, truncated or corrupt."""


class WorkerError(AffluxError):
    """A process that works for the server is busy, too slow, or ended before it answered."""


class HookError(AffluxError):
    """A webhook cannot be kept, or its URL may not be called."""


class ClientError(AffluxError):
    """A server refuses what was asked of it, or cannot be reached.

    ``status`` is the HTTP status (None if there was no answer), and ``problem`` the fields of its
    reply: type, title, detail, errors, and for a refused file report.
    """

    def __init__(
        self, message: str, status: int | None = None, problem: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.problem = status, problem or {}

    @classmethod
    def of(cls, status: int, problem: Mapping[str, Any]) -> ClientError:
        """The error of a reply."""
        detail = problem.get("detail") or "the server says nothing more"
        return cls(f"{status} {problem.get('title', 'refused')}: {detail}", status, problem)
