"""A version of this project in MLflow: the signed artifact as a `pyfunc`, and what was measured of it."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from coffey._version import __version__
from coffey.artifact import pyfunc
from coffey.artifact.manifest import Manifest
from coffey.artifact.read import open_artifact
from coffey.core.errors import MissingExtra
from coffey.project.models import find_version
from coffey.project.workspace import Workspace


def log_to_mlflow(space: Workspace, name: str | None = None, *, register_as: str | None = None) -> Any:
    """Log a version to the active run, or to a new one; MLflow's own `ModelInfo`.

    Args:
        space: the project.
        name: version, alias or digest; the champion, else the challenger, when it is None.
        register_as: a name in MLflow's registry.

    Raises:
        UnknownVersion: there is no such version.
        MissingExtra: MLflow is not installed.
    """
    try:
        import mlflow
    except ModuleNotFoundError as exc:
        raise MissingExtra("Logging to MLflow", "mlflow", exc.name or "mlflow") from exc
    version = find_version(space.registry, name)
    artifact = open_artifact(space.store / version.artifact, trust=space.trust)
    with nullcontext() if mlflow.active_run() else mlflow.start_run(run_name=version.name):
        mlflow.log_params(_params(artifact.manifest))
        mlflow.log_metrics(_metrics(artifact.manifest))
        return mlflow.pyfunc.log_model(
            name="student",
            loader_module=pyfunc.__name__,
            data_path=str(artifact.path),
            pip_requirements=[f"coffey=={__version__}", "pandas"],
            registered_model_name=register_as,
            metadata={"digest": artifact.digest, "version": version.name},
        )


def _params(manifest: Manifest) -> dict[str, Any]:
    lineage = manifest.lineage
    return {
        "teacher": lineage.teacher_source,
        "stages": " ".join(stage.name for stage in lineage.stages),
        "params": manifest.params,
        "variant": manifest.quantization.variant,
    }


def _metrics(manifest: Manifest) -> dict[str, float]:
    quality = manifest.quality
    known = {
        "agreement": quality.agreement,
        quality.measure: quality.accuracy,
        f"teacher_{quality.measure}": quality.teacher_accuracy,
        "retention": quality.retention,
    }
    return {
        f"{name}{end}": getattr(interval, field)
        for name, interval in known.items()
        if interval is not None
        for field, end in (("value", ""), ("low", "_low"), ("high", "_high"))
    }
