"""`models`: versions, where the aliases point, and what moved them."""

from __future__ import annotations

from dataclasses import dataclass

from coffey.registry.protocol import Registry, RegistryEvent
from coffey.registry.version import Version


@dataclass(frozen=True, slots=True)
class ModelsResult:
    """The registry at a glance."""

    aliases: dict[str, str]
    versions: tuple[Version, ...]
    events: tuple[RegistryEvent, ...]
    """The whole log, oldest first."""


def list_models(registry: Registry) -> ModelsResult:
    """What is live, what was, and why."""
    return ModelsResult(registry.aliases(), tuple(registry.versions()), tuple(registry.events()))
