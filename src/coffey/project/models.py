"""`models`: versions, where the aliases point, and what moved them."""

from __future__ import annotations

from dataclasses import dataclass

from coffey.registry.protocol import CHALLENGER, CHAMPION, Registry, RegistryEvent
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


def find_version(registry: Registry, name: str | None) -> Version:
    """A version by name, alias or digest; the champion, else the challenger, when `name` is None.

    Raises:
        UnknownVersion: there is no such version.
    """
    return registry.resolve(name or registry.alias(CHAMPION) or registry.alias(CHALLENGER) or CHAMPION)
