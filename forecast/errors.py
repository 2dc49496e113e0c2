"""Every exception that Afflux raises on purpose.

::

    AffluxError                      exit status 1
     ├── InputError                  exit status 2: what the user gave cannot be used
     │    ├── ConfigError            a configuration file or an environment variable
     │    ├── ContractError          files that do not follow the input contract (holds a report)
     │    └── SchemaError            a table at the door of a room lacks or breaks a column
     ├── LakeError                   the observations or forecasts cannot be read or written
     ├── ModelError                  a model cannot be trained, read or used
     │    ├── ModelIntegrityError    a file of the bundle does not match its SHA-256
     │    └── NoModelError           no such model, or no champion yet
     └── PublicationError            a publication is absent, truncated or corrupt

A message says what is wrong, where, what was expected and what to do.
"""

from __future__ import annotations


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
