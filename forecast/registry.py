"""The model registry: every trained model, which one is champion, and how it got there.

MLflow keeps the runs and the versions; ``models/champion`` is the bundle that forecasts. A model
goes from the first to the second only through :meth:`Registry.promote`, which downloads it,
checks every file's SHA-256, loads it and asks it one forecast. Nothing here reads or writes a
pickle. This is the only module that imports MLflow, and only when a method needs it.
"""

from __future__ import annotations

import logging
import math
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecast import champion, tracking
from forecast.bundle import verify
from forecast.champion import Promotion, Reign
from forecast.errors import AffluxError, ModelError, ModelIntegrityError, NoModelError
from forecast.fitting import OWN_COLUMNS
from forecast.model import InfluxModel
from forecast.tracking import ModelVersion

_REQUIRED = ("afflux", "lightgbm", "numpy", "pandas", "scikit-learn")


def load_and_warm_up(folder: Path) -> InfluxModel:
    """Load a bundle as forecasting does, and make it answer one question without evidence.

    Raises
    ------
    ModelError
        If the answer is not a finite number.
    """
    model = InfluxModel.load(folder)
    table = np.full((1, len(model.columns) + len(OWN_COLUMNS)), np.nan, dtype=np.float32)
    if not np.isfinite(model.predict_table(table, np.ones(1))).all():
        raise ModelError(f"{folder}: the model answers a question with something else than numbers")
    return model


class Registry:
    """Versions of one model, ``name``, and the champion exported to the folder ``models``.

    ``tracking_uri`` is anything MLflow takes; by default SQLite and artifacts under ``models``.
    """

    def __init__(self, models: Path, name: str, tracking_uri: str | None = None) -> None:
        self.models = models.absolute()
        self.name = name
        self.tracking_uri = tracking_uri or f"sqlite:///{self.models}/mlflow.db"

    def log(
        self,
        bundle: Path,
        *,
        params: Mapping[str, object],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        figures: Mapping[str, Path],
        tables: Mapping[str, pd.DataFrame] | None = None,
    ) -> ModelVersion:
        """Record one training as an MLflow run, and its bundle as the version called candidate.

        ``figures`` are image files and ``tables`` frames, by the name they get among the run's
        artifacts. Metrics that are not finite numbers are left out.

        Raises
        ------
        ModelIntegrityError
            If the bundle does not match its manifest.
        ModelError
            If MLflow cannot be reached or refuses.
        """
        manifest = verify(bundle)
        finite = {tracking.key(k): float(v) for k, v in metrics.items() if math.isfinite(v)}
        kept_tags = {
            "lake_version": str(manifest.get("lake_version", "")),
            **tracking.texts(tags),
            "headline": tracking.headline(finite),
            "bundle": champion.digest(bundle),
        }
        with self._session() as (mlflow, client), tempfile.TemporaryDirectory() as scratch:
            tracking.collect(Path(scratch), figures, tables or {})
            nested = mlflow.active_run() is not None
            with mlflow.start_run(experiment_id=self._experiment(client), nested=nested) as run:
                mlflow.log_params(tracking.texts(params))
                mlflow.log_metrics(finite)
                mlflow.set_tags(kept_tags)
                mlflow.log_artifacts(scratch)
                model = mlflow.pyfunc.log_model(
                    name="model",
                    loader_module="forecast.pyfunc",
                    data_path=str(bundle),
                    pip_requirements=[f"{name}=={installed(name)}" for name in _REQUIRED],
                )
            if not client.search_registered_models(f"name = '{self.name}'"):
                client.create_registered_model(self.name)
            source, run_id, model_id = model.model_uri, run.info.run_id, model.model_id
            made = client.create_model_version(
                self.name, source, run_id=run_id, model_id=model_id, tags=kept_tags
            )
            client.set_registered_model_alias(self.name, "candidate", made.version)
            registered = client.get_model_version(self.name, made.version)
            return tracking.describe(registered, ["candidate"], served=None)

    def promote(
        self, version: str | None = None, *, load: Callable[[Path], object] = load_and_warm_up
    ) -> Promotion:
        """Make ``version`` (by default the candidate) the champion, if it can be loaded.

        Whatever goes wrong, and at whatever moment the process is killed, ``models/champion``
        is a whole bundle: the champion before, or the new one.

        Raises
        ------
        NoModelError
            If there is no such version, or no candidate.
        ModelIntegrityError, ModelError
            If the bundle is damaged, cannot be loaded or cannot be fetched; nothing changes.
        """
        with self._session() as (_, client):
            if version is None:
                version = self._aliases(client).get("candidate")
                if version is None:
                    raise NoModelError(
                        f"{self.name} has no candidate: run `afflux train`, or name a version "
                        "(`afflux models` lists them)"
                    )
            elif version not in [found.version for found in self.versions()]:
                raise NoModelError(
                    f"{self.name} has no version {version!r}: `afflux models` lists those it has"
                )
        history = champion.reigns(self.models)
        previous = history[-1] if history else None
        reign = Reign(self.name, version, self._install(version, load).name)
        if reign != previous:
            history = [*history, reign]
        return self._crown(reign, previous, history)

    def rollback(self, *, load: Callable[[Path], object] = load_and_warm_up) -> Promotion:
        """Go back to the champion before. Its kept bundle is enough: MLflow may be down.

        Raises
        ------
        NoModelError
            If there was none before.
        ModelIntegrityError, ModelError
            If it cannot be loaded any more (nothing changes), or if only the alias in MLflow
            could not be moved (the message says so).
        """
        target, previous, history = champion.before(self.models, self.name)
        kept = self.models / "bundles" / target.folder
        folder = self._install(target.version, load, kept)
        if folder.name != target.folder:
            raise ModelIntegrityError(
                f"version {target.version} in MLflow is not the bundle that was champion "
                f"({folder.name}, expected {target.folder}): the champion stays as it is"
            )
        return self._crown(target, previous, history)

    def versions(self) -> list[ModelVersion]:
        """Every registered version, newest first."""
        with self._session() as (_, client):
            aliases: dict[str, list[str]] = {}
            for alias, version in self._aliases(client).items():
                aliases.setdefault(version, []).append(alias)
            history = champion.reigns(self.models)
            served = history[-1].folder if history else None
            found = [
                tracking.describe(version, aliases.get(str(version.version), []), served)
                for version in client.search_model_versions(f"name = '{self.name}'")
            ]
        return sorted(found, key=lambda v: int(v.version), reverse=True)

    def champion_folder(self) -> Path:
        """See :func:`forecast.champion.champion_folder`."""
        return champion.champion_folder(self.models)

    def _install(
        self, version: str, load: Callable[[Path], object], kept: Path | None = None
    ) -> Path:
        def fetch(scratch: Path) -> Path:
            with self._session() as (mlflow, _):
                mlflow.artifacts.download_artifacts(
                    artifact_uri=f"models:/{self.name}/{version}", dst_path=str(scratch)
                )
            return champion.find_bundle(scratch / "data")

        return champion.install(self.models, version, load, fetch, kept)

    def _crown(self, reign: Reign, previous: Reign | None, history: list[Reign]) -> Promotion:
        champion.crown(self.models, reign, history)
        try:
            with self._session() as (_, client):
                client.set_registered_model_alias(self.name, "champion", reign.version)
                # Left in place, it would send `promote` after a rollback to the model just left.
                if self._aliases(client).get("candidate") == reign.version:
                    client.delete_registered_model_alias(self.name, "candidate")
        except ModelError as error:
            raise ModelError(
                f"version {reign.version} is now the champion in {self.models}, but its alias "
                f"could not be moved; promote it again once MLflow answers: {error}"
            ) from error
        before = previous.version if previous and previous != reign else None
        return Promotion(reign.version, before, self.models / "bundles" / reign.folder)

    def _aliases(self, client: Any) -> dict[str, str]:
        models = client.search_registered_models(f"name = '{self.name}'")
        return {a: str(v) for a, v in models[0].aliases.items()} if models else {}

    def _experiment(self, client: Any) -> str:
        found = client.get_experiment_by_name(self.name)
        if found is not None:
            return str(found.experiment_id)
        # A server decides where artifacts go; a database does not, and would take ./mlruns.
        remote = self.tracking_uri.startswith(("http", "databricks"))
        location = None if remote else (self.models / "artifacts").as_uri()
        return str(client.create_experiment(self.name, artifact_location=location))

    @contextmanager
    def _session(self) -> Iterator[tuple[Any, Any]]:
        """MLflow and a client on the tracking URI, quiet; global state is put back at the end."""
        self.models.mkdir(parents=True, exist_ok=True)
        with tracking.environment(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import mlflow

            uri = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None
            level = (logger := logging.getLogger("mlflow")).level
            logger.setLevel(logging.CRITICAL)
            try:
                mlflow.set_tracking_uri(self.tracking_uri)
                yield mlflow, mlflow.MlflowClient(self.tracking_uri)
            except AffluxError:
                raise
            except Exception as error:  # of its database, of HTTP, of the disk
                raise ModelError(tracking.failure(self.tracking_uri, error)) from error
            finally:
                mlflow.set_tracking_uri(uri)
                logger.setLevel(level)
