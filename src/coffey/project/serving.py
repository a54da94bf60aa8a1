"""`serve`: what a server is made of, from the project's registry or from one artifact. Base install only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from coffey.artifact.manifest import MANIFEST, digest
from coffey.artifact.signing import Trust, default_key_folder
from coffey.core.errors import ArtifactError, MissingExtra
from coffey.core.settings import ServeSettings, Settings
from coffey.project import wiring
from coffey.project.privacy import build_redactor
from coffey.registry.protocol import CHAMPION
from coffey.serve.keys import ApiKeys
from coffey.serve.loading import loader
from coffey.serve.server import ServeOptions
from coffey.serve.swap import fixed
from coffey.serve.tls import Tls
from coffey.traffic.layout import segments_folder

ROTATE_SECONDS = 10.0
"""Age at which a segment of the traffic log is sealed for `tick`."""
UNNAMED = "coffey"
"""The name of a model without a project."""


def serve_artifact(
    artifact: Path,
    *,
    settings: ServeSettings,
    project: Settings | None = None,
    keys: Sequence[Path] = (),
    log: Path | None = None,
    api_keys: ApiKeys | None = None,
    folder: Path = Path(),
) -> ServeOptions:
    """Serve one artifact, whatever the registry says; it is not audited.

    Args:
        artifact: its folder.
        settings: limits, address and certificate.
        project: gives the model its name, and the log its redaction, where there is a `coffey.toml`.
        keys: public keys to trust besides one's own.
        log: store that gets the traffic log; none is kept when absent.
        api_keys: who may ask; everybody may without any.
        folder: where a redaction of the user's is imported from, and relative paths of a certificate begin.

    Raises:
        ArtifactError: `artifact` is no folder of an artifact.
        MissingExtra: gRPC is asked for and not installed.
        ConfigError: the certificate or the redaction cannot be used.
    """
    if not (artifact / MANIFEST).exists():
        raise ArtifactError(
            f"{str(artifact)!r} is no artifact: it has no manifest.json. Name the folder that "
            "`coffey distill` printed, or leave it out to serve the champion of ./coffey.toml."
        )
    check_extras(settings)
    trust = Trust.of(default_key_folder(), tuple(keys))
    path = artifact.resolve()
    name = digest((path / MANIFEST).read_bytes())
    return ServeOptions(
        resolve=fixed(name, path),
        load=loader(trust=trust, threads=settings.threads, max_batch=settings.max_batch),
        settings=settings,
        log_folder=segments_folder(log) if log else None,
        rotate_seconds=ROTATE_SECONDS,
        redactor=build_redactor(project, folder) if project else None,
        model_name=project.project.name if project else UNNAMED,
        keys=api_keys or ApiKeys(),
        tls=Tls.of(settings.tls_certificate, settings.tls_key, folder),
    )


def serve_champion(
    settings: Settings,
    *,
    keys: Sequence[Path] = (),
    api_keys: ApiKeys | None = None,
    folder: Path = Path(),
) -> ServeOptions:
    """Serve the project's champion and follow it; log traffic, choose audits.

    `folder`, the one of `coffey.toml`, is where a redaction of the user's is imported from, and where the
    relative paths of a certificate begin.

    Raises:
        MissingExtra: gRPC is asked for and not installed.
        ConfigError: the store is a URL, `privacy.text` is no redaction, or the certificate cannot be used.
    """
    serving = settings.serve
    check_extras(serving)
    store = wiring.local_store(settings)
    registry = wiring.build_registry(store)
    trust = wiring.build_trust(default_key_folder(), tuple(keys))

    def resolve() -> tuple[str, Path]:
        champion = registry.resolve(CHAMPION)
        return champion.digest, store / champion.artifact

    return ServeOptions(
        resolve=resolve,
        load=loader(trust=trust, threads=serving.threads, max_batch=serving.max_batch),
        settings=serving,
        log_folder=segments_folder(store),
        rotate_seconds=ROTATE_SECONDS,
        redactor=build_redactor(settings, folder),
        audit_probability=audit_probability(settings),
        audit_seed=settings.chain.seed,
        model_name=settings.project.name,
        keys=api_keys or ApiKeys(),
        tls=Tls.of(serving.tls_certificate, serving.tls_key, folder),
    )


def audit_probability(settings: Settings) -> float:
    """The configured probability of an audit, or the one that gives `audits_per_day` at `requests_per_day`.

    >>> from coffey.core.settings import DataSettings, MonitorSettings, ProjectSettings, TeacherSettings
    >>> audit_probability(Settings(
    ...     project=ProjectSettings(name="x"), teacher=TeacherSettings(kind="python", source="m:f"),
    ...     data=DataSettings(transfer="t", holdout="h"), monitor=MonitorSettings(audits_per_day=500)))
    0.0005
    """
    monitor, traffic = settings.monitor, settings.economics.requests_per_day
    if monitor.audit_probability is not None:
        return monitor.audit_probability
    return min(1.0, monitor.audits_per_day / traffic) if traffic else 1.0


_TRACING = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


def check_extras(settings: ServeSettings) -> None:
    """Refuse what is asked for and not installed.

    Raises:
        MissingExtra: a port for gRPC without gRPC, or traces without OpenTelemetry.
    """
    if settings.traces and not all(map(_is_installed, _TRACING)):
        raise MissingExtra("serve.traces", "otel", "opentelemetry")
    if settings.grpc_port is not None and not _is_installed("grpc"):
        raise MissingExtra("serve.grpc_port", "grpc", "grpc")


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of a package above it
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What the command line says in the place of `[serve]`; None leaves it as it is."""

    host: str | None = None
    port: int | None = None
    grpc_port: int | None = None
    workers: int | None = None
    tls_certificate: str | None = None
    tls_key: str | None = None

    def over(self, settings: ServeSettings) -> ServeSettings:
        """The settings with what is said here.

        >>> Overrides(port=0).over(ServeSettings(host="::1")).host
        '::1'
        """
        return replace(settings, **{name: value for name, value in asdict(self).items() if value is not None})
