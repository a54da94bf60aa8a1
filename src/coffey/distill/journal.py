"""What happened to the stages of a run, as numbered events in a folder; finished stages are not run again."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from coffey.core.clock import utc_now
from coffey.core.errors import EventDamaged, StageInputsChanged, StoreUnavailable
from coffey.core.files import create_new
from coffey.core.ids import canonical_json, digest_json
from coffey.core.records import JsonObject


class StageState(enum.Enum):
    """How far a stage is."""

    STARTED = "started"
    """Its inputs are known; a checkpoint may exist."""
    RESUMED = "resumed"
    """It was started again from its last checkpoint, or from the beginning where there is none."""
    FAILED = "failed"
    """It cannot be trained like this; it may be begun again, with other inputs too."""
    FINISHED = "finished"
    """Its student is written and its result is in the event."""
    KEPT = "kept"
    """It earned its place; the event says against what and by how much."""
    DROPPED = "dropped"
    """It did not earn its place: the student that ships was trained without it."""

    @property
    def decides(self) -> bool:
        """Whether this is a judgement on a trained stage, and no step of its training."""
        return self in (StageState.KEPT, StageState.DROPPED)


@dataclass(frozen=True, slots=True)
class StageEvent:
    """One transition of one stage."""

    stage: str
    state: StageState
    at: str
    inputs: Mapping[str, str]
    """Digest of each input, by name."""
    result: JsonObject | None = None


class StageJournal:
    """The events of one run's stages, in `folder/000001.json` and so on; a fold of them is the state."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, stage: str, inputs: Mapping[str, str]) -> StageEvent | None:
        """Note that a stage begins, unless it has finished.

        Returns:
            The event it finished with, or None when it has yet to be trained.

        Raises:
            StageInputsChanged: it was begun with other inputs.
        """
        last = None
        for event in self.events():
            last = event if event.stage == stage and not event.state.decides else last
        if last is None or last.state is StageState.FAILED:
            self._append(stage, StageState.STARTED, inputs, None)
            return None
        changed = sorted(
            name for name in {*last.inputs, *inputs} if last.inputs.get(name) != inputs.get(name)
        )
        if changed:
            raise StageInputsChanged(stage, str(self.folder.parent), changed)
        if last.state is StageState.FINISHED:
            return last
        self._append(stage, StageState.RESUMED, inputs, None)
        return None

    def finish(self, stage: str, inputs: Mapping[str, str], result: JsonObject) -> None:
        """Note that a stage has finished, with its result."""
        self._append(stage, StageState.FINISHED, inputs, result)

    def fail(self, stage: str, inputs: Mapping[str, str]) -> None:
        """Note that a stage cannot be trained with these inputs."""
        self._append(stage, StageState.FAILED, inputs, None)

    def decide(self, stage: str, *, kept: bool, why: JsonObject) -> None:
        """Note whether a stage earned its place, and why; the same decision again is not noted twice."""
        state = StageState.KEPT if kept else StageState.DROPPED
        noted = [event for event in self.events() if event.stage == stage and event.state.decides]
        if not noted or (noted[-1].state, noted[-1].result) != (state, json.loads(canonical_json(why))):
            self._append(stage, state, {}, why)

    def events(self) -> Iterator[StageEvent]:
        """All events, oldest first.

        Raises:
            EventDamaged: a file does not say what was written; it is named.
            StoreUnavailable: a file cannot be read.
        """
        yield from (_read(path) for path in sorted(self.folder.glob("[0-9]*.json")))

    def _append(
        self, stage: str, state: StageState, inputs: Mapping[str, str], result: JsonObject | None
    ) -> None:
        event = {
            "stage": stage,
            "state": state.value,
            "at": utc_now(),
            "inputs": dict(inputs),
            "result": result,
        }
        data = json.dumps(event | {"sha256": _digest(event)}, indent=1).encode()
        number = sum(1 for _ in self.folder.glob("[0-9]*.json")) + 1
        while not create_new(self.folder / f"{number:06d}.json", data):
            number += 1


def _read(path: Path) -> StageEvent:
    try:
        raw = json.loads(path.read_bytes())
        digest = raw.pop("sha256", None)  # earlier versions wrote none
        event = StageEvent(
            raw["stage"], StageState(raw["state"]), raw["at"], raw["inputs"], raw.get("result")
        )
    except OSError as exc:
        raise StoreUnavailable(str(path), exc.strerror or str(exc)) from exc
    except (ValueError, LookupError, TypeError, AttributeError) as exc:
        raise EventDamaged(str(path), f"it is no event of a stage ({exc})") from exc
    if digest not in (None, _digest(raw)):
        raise EventDamaged(str(path), "its content does not match its digest")
    return event


def _digest(event: JsonObject) -> str:
    """Of what is read back: a tuple is a list there."""
    return digest_json(json.loads(canonical_json(event)))
