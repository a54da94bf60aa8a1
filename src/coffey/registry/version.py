"""A version: one immutable student with everything that is known about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from coffey.core.ids import canonical_json
from coffey.core.records import Contract, Interval, JsonObject


@dataclass(frozen=True, slots=True)
class Version:
    """One student that was registered. Paths are relative to the store."""

    name: str
    """Unique in the registry, for example `support-intents-3`."""
    digest: str
    """Digest of the artifact, which is also its identity in traffic records."""
    artifact: str
    """Folder of the artifact."""
    student: str | None = None
    """Folder of the student's checkpoint, from which a re-distillation starts."""
    contract: Contract | None = None
    """What is promised while this version is the champion."""
    lineage: JsonObject = field(default_factory=dict)
    """Teacher fingerprint, run id, stages, data digests and the like."""
    created_unix_s: float = 0.0


def version_to_json(version: Version) -> dict[str, Any]:
    """The version as JSON values."""
    return asdict(version)


def same_version(first: Version, second: Version) -> bool:
    """Whether two records describe the same version; when they were made does not matter."""
    one, two = (canonical_json(asdict(replace(each, created_unix_s=0.0))) for each in (first, second))
    return one == two


def version_from_json(value: Mapping[str, Any]) -> Version:
    """The version that `version_to_json` wrote; keys that this release does not know are ignored.

    Raises:
        KeyError: a required key is missing.
    """
    return Version(
        name=value["name"],
        digest=value["digest"],
        artifact=value["artifact"],
        student=value.get("student"),
        contract=contract_from_json(value["contract"]) if value.get("contract") else None,
        lineage=value.get("lineage", {}),
        created_unix_s=value.get("created_unix_s", 0.0),
    )


def contract_from_json(value: Mapping[str, Any]) -> Contract:
    """The contract that `dataclasses.asdict` wrote."""
    agreement = value["agreement"]
    return Contract(
        agreement=Interval(
            value=agreement["value"],
            low=agreement["low"],
            high=agreement["high"],
            confidence=agreement["confidence"],
            method=agreement["method"],
        ),
        examples=value["examples"],
        measured_on=value["measured_on"],
        max_drop=value["max_drop"],
        redistill_drop=value["redistill_drop"],
    )
