"""The model registry: every trained model, which one is champion, and how it got there.

MLflow keeps the runs and the versions; ``models/champion`` is the bundle that forecasts. A model
goes from the first to the second only through :meth:`Registry.promote`, which obeys the gate's
recorded decision, downloads the model, checks every file's SHA-256, loads it and asks it one
forecast. Nothing here reads or writes a pickle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import pandas as pd

from forecast import champion, tracking
from forecast.bundle import verify
from forecast.champion import Promotion, Reign
from forecast.decision import Decision, must_pass
from forecast.errors import ModelError, ModelIntegrityError, NoModelError
from forecast.loading import load_and_warm_up
from forecast.runs import Runs
from forecast.tracking import ModelVersion

_REQUIRED = ("afflux", "lightgbm", "numpy", "pandas", "scikit-learn")


class Registry(Runs):
    """Versions of one model, ``name``, and the champion exported to the folder ``models``."""

    def log(
        self,
        bundle: Path,
        *,
        params: Mapping[str, object],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        figures: Mapping[str, Path],
        tables: Mapping[str, pd.DataFrame] | None = None,
        decision: Decision | None = None,
    ) -> ModelVersion:
        """Record one training as an MLflow run, and its bundle as the version called candidate.

        ``figures`` are image files and ``tables`` frames, by the name they get among the run's
        artifacts; ``decision`` is what the gate said, which :meth:`promote` obeys. Metrics that
        are not finite numbers are left out.

        Raises
        ------
        ModelIntegrityError
            If the bundle does not match its manifest.
        ModelError
            If MLflow cannot be reached or refuses.
        """
        manifest = verify(bundle)
        kept_tags = {
            "lake_version": str(manifest.get("lake_version", "")),
            **tracking.texts(tags),
            **tracking.gate_tags(decision),
            "headline": tracking.headline(metrics),
            "bundle": champion.digest(bundle),
        }
        with self._session() as (mlflow, client):
            metrics = {**metrics, **tracking.gate_metrics(decision)}
            with self._run(mlflow, client, params, metrics, kept_tags, figures, tables) as run:
                if decision is not None:
                    mlflow.log_dict(decision.as_dict(), "gate.json")
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
        self,
        version: str | None = None,
        *,
        reason: str = "",
        load: Callable[[Path], object] = load_and_warm_up,
    ) -> Promotion:
        """Make ``version`` (by default the candidate) the champion, if it may and can be.

        It may if the gate let it pass against the champion of today, or if a ``reason`` is given
        why the gate is overruled, which is recorded. Whatever goes wrong, and at whatever moment
        the process is killed, ``models/champion`` is a whole bundle: the champion before, or the
        new one.

        Raises
        ------
        NoModelError
            If there is no such version, or no candidate.
        ModelIntegrityError, ModelError
            If the gate refuses, or the bundle is damaged, cannot be loaded or cannot be fetched;
            nothing changes.
        """
        chosen = self.find(version)
        if not reason:
            official = next((v.version for v in self.versions() if "champion" in v.aliases), None)
            must_pass(chosen.version, chosen.decision, official)
        history = champion.reigns(self.models)
        previous = history[-1] if history else None
        folder = self._install(chosen.version, load).name
        reign = Reign(self.name, chosen.version, folder, reason)
        if reign != previous:
            history = [*history, reign]
        return self._crown(reign, previous, history)

    def find(self, version: str | None = None) -> ModelVersion:
        """A registered version, by default the candidate; raise NoModelError if there is none."""
        found = self.versions()
        if version is None:
            chosen = next((v for v in found if "candidate" in v.aliases), None)
            lacks = "candidate: run `afflux train`, or name a version (`afflux models` lists them)"
        else:
            chosen = next((v for v in found if v.version == version), None)
            lacks = f"version {version!r}: `afflux models` lists those it has"
        if chosen is None:
            raise NoModelError(f"{self.name} has no {lacks}")
        return chosen

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

    def reigning(self) -> tuple[str, Path] | None:
        """Version and bundle of this machine's champion; None if it is of no or another name."""
        history = champion.reigns(self.models)
        if not history or history[-1].name != self.name:
            return None
        return history[-1].version, self.models / "bundles" / history[-1].folder

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
                if reign.reason:
                    client.set_model_version_tag(self.name, reign.version, "forced", reign.reason)
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
