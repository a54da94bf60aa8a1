"""From checked texts to labels and scores, with a traffic record each. Knows nothing of HTTP."""

from __future__ import annotations

import itertools
import math
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from coffey.core.clock import unix_now
from coffey.core.errors import NotReady
from coffey.core.records import TrafficRecord
from coffey.serve.audit import AuditChoice
from coffey.serve.batching import Batcher, Found, Probabilities
from coffey.serve.model import Model
from coffey.traffic.log import TrafficLog

RECENT = 32
"""Texts remembered, to warm up the next model with."""


@dataclass(slots=True)
class Answer:
    """The answer to one request."""

    id: str
    model: Model
    probabilities: Probabilities
    """float32 [texts, labels]"""
    names: list[str]
    """The answer to each text: its label, or its labels as a JSON list in a multi-label task."""
    confidence: list[float]
    """The probability of each answer."""
    tokenize_s: float
    run_s: float
    """Seconds of the batches that its texts were in."""


class DataPlane:
    """Answers texts and tells the traffic log; used from the event loop's thread only."""

    def __init__(
        self,
        batcher: Batcher,
        *,
        audit: AuditChoice,
        log: TrafficLog | None,
        wall: Callable[[], float] = unix_now,
    ) -> None:
        self.batcher = batcher
        self.log = log
        self.answered = 0
        """Texts answered."""
        self.audits = 0
        """Texts chosen for audit."""
        self.closing = False
        """Whether nothing more is answered."""
        self.recent: deque[str] = deque(maxlen=RECENT)
        """The last texts that were answered."""
        self._audit = audit
        self._wall = wall
        self._prefix = secrets.token_hex(8)
        self._numbers = itertools.count()

    def check_open(self) -> None:
        """Refuse before any work is done.

        Raises:
            NotReady: the server is going away.
            Overloaded: the queue is full.
        """
        if self.closing:
            raise NotReady("The server is shutting down. Ask another one.")
        self.batcher.check_room()

    def answer_at_once(self, texts: Sequence[str], deadline: float = math.inf) -> Answer | None:
        """As `answer`, without waiting for anything; None where that cannot be.

        Raises:
            NotReady: there is no model.
        """
        found = self.batcher.run_at_once(texts, deadline)
        return None if found is None else self._answer(found)

    async def answer(self, texts: Sequence[str], deadline: float = math.inf) -> Answer:
        """Answer `texts`, which were checked. Whoever asks hands the answer to `record` afterwards.

        Args:
            texts: what is asked.
            deadline: when nobody waits for the answer any more (of the monotonic clock).

        Raises:
            NotReady: there is no model.
            Overloaded: the queue is full, or would take too long.
            DeadlineExceeded: the deadline passed before the model ran.
        """
        return self._answer(await self.batcher.run(texts, deadline))

    def record(self, answer: Answer, texts: Sequence[str], arrived: float, sent: float) -> None:
        """Log an answer to a request that `arrived` and whose answer was `sent` (of the clock).

        One record a text: its id is the request's, with the text's number where there are several.
        """
        latency_ms = (sent - arrived) * 1000
        now, digest, audit = self._wall(), answer.model.digest, self._audit
        bins = answer.model.bins
        rate = None if bins is None else audit.rate
        several = len(texts) > 1
        self.answered += len(texts)
        self.recent.extend(texts)
        for index, text in enumerate(texts):
            record_id = f"{answer.id}-{index}" if several else answer.id
            probability = audit.probability(answer.confidence[index], bins)
            chosen = audit.chosen(record_id, probability)
            self.audits += chosen
            if self.log is not None:
                self.log.put(
                    TrafficRecord(
                        id=record_id,
                        unix_s=now,
                        model=digest,
                        text=text,
                        label=answer.names[index],
                        confidence=answer.confidence[index],
                        latency_ms=latency_ms,
                        audit=chosen,
                        audit_probability=probability,
                        audit_rate=rate,
                    )
                )

    def _answer(self, found: Found) -> Answer:
        model, probabilities = found.model, found.probabilities
        scoring = model.scoring
        return Answer(
            f"{self._prefix}{next(self._numbers):012x}",
            model,
            probabilities,
            scoring.names(scoring.answers(probabilities), model.labels),
            scoring.confidence(probabilities).tolist(),
            found.tokenize_s,
            found.run_s,
        )
