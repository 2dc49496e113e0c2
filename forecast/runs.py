"""MLflow runs of one territory. The only module that imports MLflow, when a method needs it.

MLflow is a guest here: whatever it sets in the process is put back, and it says nothing.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from forecast import tracking
from forecast.errors import AffluxError, ModelError


class Runs:
    """The runs of the experiment ``name``.

    ``tracking_uri`` is anything MLflow takes; by default SQLite and artifacts under ``models``.
    """

    def __init__(self, models: Path, name: str, tracking_uri: str | None = None) -> None:
        self.models = models.absolute()
        self.name = name
        self.tracking_uri = tracking_uri or f"sqlite:///{self.models}/mlflow.db"

    def record(
        self,
        *,
        params: Mapping[str, object],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        figures: Mapping[str, Path],
        tables: Mapping[str, pd.DataFrame] | None = None,
    ) -> str:
        """Record a run without a model, such as a backtest; return its id.

        ``figures`` are image files and ``tables`` frames, by the name they get among the run's
        artifacts. Metrics that are not finite numbers are left out.

        Raises
        ------
        ModelError
            If MLflow cannot be reached or refuses.
        """
        with self._session() as (mlflow, client):
            kept = tracking.texts(tags)
            with self._run(mlflow, client, params, metrics, kept, figures, tables) as run:
                return str(run.info.run_id)

    @contextmanager
    def _run(
        self,
        mlflow: Any,
        client: Any,
        params: Mapping[str, object],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        figures: Mapping[str, Path],
        tables: Mapping[str, pd.DataFrame] | None,
    ) -> Iterator[Any]:
        """A run with everything logged that is no model; it ends with the block."""
        nested = mlflow.active_run() is not None
        with (
            tempfile.TemporaryDirectory() as scratch,
            mlflow.start_run(experiment_id=self._experiment(client), nested=nested) as run,
        ):
            tracking.collect(Path(scratch), figures, tables or {})
            mlflow.log_params(tracking.texts(params))
            mlflow.log_metrics(tracking.finite(metrics))
            mlflow.set_tags(tags)
            mlflow.log_artifacts(scratch)
            yield run

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
