"""Where things are (:class:`Settings`, from the environment), never what to do.

It stands apart from :mod:`forecast.config` so that a process which only needs to know where to look
(the server) does not load the numerical libraries that configuration needs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from forecast.errors import ConfigError

if TYPE_CHECKING:
    from forecast.config import RunConfig


@dataclass(frozen=True)
class Settings:
    """Where things are: the environment, never what to do.

    ``home`` comes from ``AFFLUX_HOME`` (default: the current folder), ``lake`` from
    ``AFFLUX_LAKE`` (a path or any URL delta-rs takes; default ``data/lake`` under home), and
    ``config`` from ``AFFLUX_CONFIG`` (default: the one TOML file in ``configs/``).
    """

    home: Path
    lake: str
    config: Path | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read the settings from environment variables."""
        env = os.environ if environment is None else environment
        home = Path(env.get("AFFLUX_HOME") or ".").absolute()
        config = env.get("AFFLUX_CONFIG")
        return cls(
            home=home,
            lake=env.get("AFFLUX_LAKE") or str(home / "data" / "lake"),
            config=Path(config) if config else None,
        )

    @property
    def configs(self) -> Path:
        """Folder of configuration files."""
        return self.home / "configs"

    @property
    def models(self) -> Path:
        """Folder of the exported champion and of MLflow's default store."""
        return self.home / "models"

    @property
    def publications(self) -> Path:
        """Folder of publications; ``current`` in it names the one being served."""
        return self.home / "data" / "publications"

    @property
    def fetches(self) -> Path:
        """File that remembers what was fetched from providers."""
        return self.home / "data" / "fetches.sqlite"

    @property
    def samples(self) -> Path:
        """File of the readings that real-time providers accumulate."""
        return self.home / "data" / "samples.sqlite"

    @property
    def webhooks(self) -> Path:
        """File of webhooks: who is told when a level changes, and the secrets that sign it."""
        return self.home / "data" / "webhooks.sqlite"

    def config_path(self) -> Path:
        """The configuration file in force.

        Raises
        ------
        ConfigError
            If there is none, or several and ``AFFLUX_CONFIG`` does not choose.
        """
        if self.config is not None:
            return self.config
        found = sorted(self.configs.glob("*.toml"))
        if len(found) == 1:
            return found[0]
        if not found:
            raise ConfigError(
                f"no configuration in {self.configs}: run `afflux ingest FOLDER` on a folder with "
                "a territory.toml, or set AFFLUX_HOME to the folder that holds configs/"
            )
        names = ", ".join(path.name for path in found)
        raise ConfigError(
            f"several configurations in {self.configs} ({names}): choose one with AFFLUX_CONFIG"
        )

    def run_config(self) -> RunConfig:
        """Read the configuration in force."""
        from forecast.config import read_config

        return read_config(self.config_path())
