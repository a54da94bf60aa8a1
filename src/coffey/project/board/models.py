"""The models page, and the status that every page begins with."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import asdict

from coffey.artifact.manifest import MODEL
from coffey.artifact.read import read_manifest
from coffey.control.journal import DECISION, FINISHED, WAITING, ControlJournal
from coffey.core.clock import stamp
from coffey.core.errors import ArtifactError, StoreError
from coffey.core.records import JsonObject
from coffey.dashboard import figures
from coffey.project.board.contract import decision_of
from coffey.project.workspace import Workspace
from coffey.registry.protocol import CHALLENGER, CHAMPION, RegistryEvent
from coffey.registry.version import Version


class StatusSource:
    """Who serves, and what was said of it last."""

    def __init__(self, space: Workspace, journal: ControlJournal) -> None:
        """Read nothing yet."""
        self._space = space
        self._journal = journal

    def token(self) -> Hashable:
        """Of the registry and the journal."""
        return self._space.registry.state_token(), len(self._journal.entries())

    def read(self) -> JsonObject:
        """`champion`, `waiting` (the challenger), whether for `approval`, and the last `decision`."""
        aliases = self._space.registry.aliases()
        last = self._journal.last(DECISION)
        return {
            "champion": aliases.get(CHAMPION),
            "waiting": aliases.get(CHALLENGER),
            "approval": waits_for_approval(self._journal, aliases),
            "decision": decision_of(last) if last else None,
        }


class ModelsSource:
    """Versions with what their artifacts say of themselves, and the registry's log."""

    def __init__(self, space: Workspace, journal: ControlJournal) -> None:
        """Read nothing yet."""
        self._space = space
        self._journal = journal
        self._said: dict[str, JsonObject] = {}
        """By digest: an artifact never changes."""

    def token(self) -> Hashable:
        """Of the registry and the journal."""
        return self._space.registry.state_token(), len(self._journal.entries())

    def read(self) -> JsonObject:
        """`aliases`, `versions`, `events` (the latest first), and whether one waits for `approval`."""
        registry = self._space.registry
        aliases = registry.aliases()
        return {
            "aliases": aliases,
            "approval": waits_for_approval(self._journal, aliases),
            "versions": [self._version(version) for version in registry.versions()],
            "events": [_event(event) for event in reversed(registry.events())],
        }

    def _version(self, version: Version) -> JsonObject:
        if version.digest not in self._said:
            self._said[version.digest] = self._artifact(version)
        return {
            "name": version.name,
            "digest": version.digest,
            "created": stamp(version.created_unix_s),
            "contract": asdict(version.contract) if version.contract else None,
            "lineage": dict(version.lineage),
            **self._said[version.digest],
        }

    def _artifact(self, version: Version) -> JsonObject:
        try:
            manifest = read_manifest(self._space.store / version.artifact, trust=self._space.trust)
        except (ArtifactError, StoreError, OSError) as exc:
            return {"problem": str(exc)}
        return {
            "params": manifest.params,
            "bytes": manifest.files[MODEL].bytes,
            "variant": manifest.quantization.variant,
        }


def waits_for_approval(journal: ControlJournal, aliases: Mapping[str, str]) -> bool:
    """Whether the challenger won a re-distillation and somebody has to promote it."""
    last = journal.last(FINISHED)
    waiting = aliases.get(CHALLENGER)
    return bool(last and waiting and last.body["kind"] == WAITING and last.body["version"] == waiting)


def _event(event: RegistryEvent) -> JsonObject:
    return {
        "time": stamp(event.unix_s),
        "kind": event.kind,
        "version": event.version,
        "moves": dict(event.moves),
        "who": event.who,
        "why": _why(event.evidence),
    }


def _why(evidence: JsonObject) -> str:
    """The evidence in words: its reason, or the gate's, else whatever it holds."""
    said = evidence.get("reason") or evidence.get("gate")
    if said:
        return str(said)
    return "; ".join(f"{figures.spoken(name)} {value}" for name, value in evidence.items())
