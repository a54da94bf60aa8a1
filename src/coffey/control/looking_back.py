"""After a re-distilled student was promoted, the one before it shadows the traffic and may come back.

Both answer logged requests, off the serving path; the teacher is asked where they differ, as often a day as
for audits, until the evidence decides or `control.comparison_labels` are spent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from coffey.artifact.predictor import Predictor
from coffey.artifact.signing import Trust
from coffey.control.audits import Answer
from coffey.control.comparison import BATCH, Requests, Rules, Tally, compare
from coffey.control.journal import ControlJournal
from coffey.control.policy import comparison_numbers, look_back_reason
from coffey.core.errors import UnknownVersion
from coffey.core.records import Decision, DecisionKind
from coffey.core.settings import Settings
from coffey.monitor.sample import ROWS
from coffey.registry.protocol import CHAMPION, PREVIOUS, Registry
from coffey.registry.version import Version
from coffey.stats.paired_sequence import Comparison, Verdict
from coffey.traffic.selection import Selection, select

COMPARED = "compared"
"""The kind of entry that keeps what the comparison with the previous champion has seen so far."""

WHO = "tick"


@dataclass(frozen=True, slots=True)
class LookedBack:
    """What the comparison with the previous champion came to."""

    comparison: Comparison
    """Of the previous champion against the present one, since the promotion."""
    decision: Decision | None
    """ROLLBACK, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookBack:
    """Where the requests lie, whom to ask, and by which settings it is judged."""

    settings: Settings
    store: Path
    registry: Registry
    journal: ControlJournal
    trust: Trust
    answer: Answer

    def previous_of(self, champion: Version) -> Version | None:
        """The previous champion, where the present one is a re-distillation of it.

        What people promoted for another reason, a smaller student perhaps, is theirs to take back.
        """
        try:
            previous = self.registry.resolve(PREVIOUS)
        except UnknownVersion:
            return None
        return previous if champion.lineage.get("previous") == previous.digest else None

    def allowed(self, champion: Version, since_unix_s: float, now_unix_s: float) -> int:
        """Texts that the teacher may be asked about now; 0 when there is nothing to find out."""
        if self.previous_of(champion) is None:
            return 0
        rules, kept = Rules.to_roll_back(self.settings), self._kept(champion, since_unix_s)
        if rules.is_decided(kept.tally.sequence(rules)):
            return 0
        days = (now_unix_s - since_unix_s) / 86_400
        left = rules.labels - kept.tally.asked
        due = min(left, math.floor(self.settings.monitor.audits_per_day * days) - kept.tally.asked)
        return due if due >= min(BATCH, left) else 0

    def go_on(self, champion: Version, since_unix_s: float, now_unix_s: float) -> LookedBack | None:
        """Compare on what was served meanwhile, and roll back once that is proven; None without a previous.

        Killed anywhere and run again it ends the same: what was asked is in the label store, what it said in
        the journal, and the aliases move only from where they are.

        Raises:
            AliasMoved: another process moved them meanwhile.
        """
        previous = self.previous_of(champion)
        if previous is None:
            return None
        most = self.allowed(champion, since_unix_s, now_unix_s)
        if most > 0:
            self._compare(champion, previous, since_unix_s, most)
        rules, kept = Rules.to_roll_back(self.settings), self._kept(champion, since_unix_s)
        found = kept.tally.look(rules)
        if found.verdict is not Verdict.BETTER:
            return LookedBack(found, None)
        return LookedBack(found, self._roll_back(champion, previous, since_unix_s, found))

    def _compare(self, champion: Version, previous: Version, since_unix_s: float, most: int) -> None:
        kept = self._kept(champion, since_unix_s)
        served = select(self.store, model=champion.digest, since=kept.until_unix_s)
        texts = served.spread(ROWS)
        if not texts:
            return
        order = np.random.default_rng([self.settings.chain.seed, kept.number]).permutation(len(texts))
        tally = compare(
            Predictor.load(self.store / champion.artifact, trust=self.trust),
            Predictor.load(self.store / previous.artifact, trust=self.trust),
            Requests([texts[int(place)] for place in order], np.ones(len(texts))),
            Rules.to_roll_back(self.settings),
            answer=self.answer,
            before=kept.tally,
            most=most,
        )
        after = _Kept(kept.number + 1, math.nextafter(_last(served), math.inf), tally)
        self.journal.record(
            COMPARED, after.body(), key=f"{_key(champion, since_unix_s)}/{COMPARED}/{after.number}"
        )

    def _roll_back(
        self, champion: Version, previous: Version, since_unix_s: float, found: Comparison
    ) -> Decision:
        waits = self.settings.control.approve
        reason = look_back_reason(found, previous.name, waits=waits)
        decision = Decision(DecisionKind.ROLLBACK, reason, comparison_numbers(found))
        self.journal.record_decision(decision, key=f"{_key(champion, since_unix_s)}/rollback/judged")
        if not waits:
            self.registry.move(
                {CHAMPION: previous.name, PREVIOUS: champion.name},
                expected={CHAMPION: champion.name, PREVIOUS: previous.name},
                evidence={"reason": decision.reason, "numbers": dict(decision.numbers)},
                who=WHO,
                kind="rollback",
            )
        return decision

    def _kept(self, champion: Version, since_unix_s: float) -> _Kept:
        key = f"{_key(champion, since_unix_s)}/{COMPARED}/"
        found = [entry for entry in self.journal.entries(COMPARED) if str(entry.key).startswith(key)]
        return _Kept.of(found[-1].body) if found else _Kept(0, since_unix_s, Tally())


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the journal keeps between ticks."""

    number: int
    until_unix_s: float
    """Requests served before that were looked at."""
    tally: Tally

    def body(self) -> dict[str, object]:
        return {"number": self.number, "until_unix_s": self.until_unix_s, **asdict(self.tally)}

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> _Kept:
        outcomes = tuple((x, weight, times) for x, weight, times in body["outcomes"])
        tally = Tally(body["requests"], body["differing"], body["asked"], outcomes)
        return cls(body["number"], body["until_unix_s"], tally)


def _key(champion: Version, since_unix_s: float) -> str:
    return f"{champion.name}/{since_unix_s:.3f}"


def _last(served: Selection) -> float:
    return max(part.last_unix_s for part in served.parts)
