"""Kind `openai`: a language model behind an OpenAI-compatible endpoint, asked to name one of the labels.

A label's probability is read off the tokens of the answer (`teacher.asking.distribution = "logprobs"`), or
counted over repeated answers (`"samples"`). Many texts are under way at once; each answer is given when it
is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coffey.core.clock import monotonic
from coffey.core.errors import ConfigError, LabelRejected, Problem, TeacherUnavailable
from coffey.core.settings import AskingSettings, EndpointSettings
from coffey.teacher.background import Background
from coffey.teacher.chat import ChatClient, Errand, Stopped
from coffey.teacher.completion import Choice, Completion
from coffey.teacher.fingerprint import fingerprint
from coffey.teacher.protocol import Answered, Probabilities
from coffey.teacher.question import Question
from coffey.teacher.sampled import chance_of_difference, counted, smoothed
from coffey.teacher.usage import Usage

Row = npt.NDArray[np.float32]
"""Probabilities, float32 [labels]."""

_LEAST_CHANCE = 0.001
"""Of a recheck by samples: a teacher that did not change is refused once in 1,000 rechecks."""
_MOST_DISTANCE = 0.1
"""Of a recheck by logprobs, as the mean total variation distance. Services that batch requests move single
probabilities by a few hundredths from call to call; another model moves most of them by more."""


class _Answer(NamedTuple):
    text: str
    row: Row | None
    """None when it is skipped."""


class EndpointTeacher:
    """A teacher behind an endpoint.

    The fingerprint covers the model's name, `revision`, `version`, the labels, and all of `teacher.asking`
    that decides an answer; not the URL, which may move.
    """

    def __init__(
        self,
        source: str,
        endpoint: EndpointSettings,
        asking: AskingSettings,
        *,
        labels: Sequence[str],
        template: str,
        key: str | None = None,
        revision: str | None = None,
        version: str | None = None,
    ) -> None:
        """Connect when it is first asked.

        Args:
            source: the model, as the endpoint names it.
            endpoint: where it answers, and at what pace.
            asking: how it is asked, and what is made of its answers.
            labels: names of the labels.
            template: the question; see `prompt.template_problem`.
            key: sent as a bearer token.
            revision: the `system_fingerprint` that every answer must come with.
            version: anything; another one is another teacher.

        Raises:
            ConfigError: no labels, or some that cannot be told apart in an answer.
        """
        if not labels:
            raise ConfigError("teacher", [Problem("task.labels", None, "the names of the labels")])
        self.source = source
        self.labels = tuple(labels)
        self.params: int | None = None
        self._asking = asking
        self._question = Question(source, asking, template, labels)
        self._revision = revision
        self.header: Mapping[str, object] = {
            "kind": "openai",
            "model": source,
            "revision": revision,
            "version": version,
            "labels": list(labels),
            "asking": self._question.meaning(),
        }
        self.fingerprint = fingerprint(self.header)
        self._client = ChatClient(source, endpoint, key)
        # Twice what is sent at once, so that there is work while the caller writes answers down.
        self._room = 2 * endpoint.concurrency
        self._background: Background | None = None
        self._served: str | None = None

    @property
    def usage(self) -> Usage:
        """What was used since it was built, malformed answers included."""
        return self._client.usage

    def expected(self, texts: Sequence[str]) -> Usage:
        """What asking `texts` is expected to use, estimated from their lengths."""
        answers = self._asking.samples if self._sampled else 1
        requests = -(-answers // self._asking.samples_per_request)
        total = Usage()
        for text in texts:
            one = self._question.expected(text, answers=answers)
            total += Usage(
                requests=requests, input_tokens=requests * one.input_tokens, output_tokens=one.output_tokens
            )
        return total

    def predict(self, texts: Sequence[str]) -> Probabilities:
        """Float32 [len(texts), len(labels)]; equal texts are asked once.

        Raises:
            TeacherUnavailable: it cannot be reached, refuses, or changed while it was asked.
            LabelRejected: it gave no usable answer to one of them.
        """
        rows: dict[str, Row] = {}
        for answered in self.stream([tuple(dict.fromkeys(texts))]):
            rows.update(zip(answered.texts, answered.probabilities, strict=True))
        if skipped := [text for text in texts if text not in rows]:
            found = f"malformed answers to {len(skipped)} of {len(texts)} texts"
            raise LabelRejected(self.source, "a label for every text", found)
        shape = (len(texts), len(self.labels))
        return np.array([rows[text] for text in texts], dtype=np.float32).reshape(shape)

    def stream(self, batches: Iterable[Sequence[str]]) -> Iterator[Answered]:
        """Answers as they come; see `StreamingTeacher`."""
        errand, under_way = Errand(), set[Future[_Answer]]()
        batches, failure, since = iter(batches), None, monotonic()
        try:
            while True:
                while failure is None and len(under_way) < self._room:
                    if (batch := next(batches, None)) is None:
                        break
                    under_way |= {self._begin(text, errand) for text in batch}
                if not under_way:
                    break
                done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                failure = failure or next(filter(None, map(_failed, done)), None)
                now = monotonic()
                yield self._answered([one.result() for one in done if not one.exception()], now - since)
                since = now
        finally:
            for one in under_way:
                one.cancel()
        if failure is not None:
            raise failure

    def unlike(self, stored: Probabilities, said: Probabilities) -> str | None:
        """Why two answers to the same texts cannot both be its own; None when they can."""
        if self._sampled:
            samples, smoothing = self._asking.samples, self._asking.smoothing
            counts = (counted(answer, samples, smoothing) for answer in (stored, said))
            chance = chance_of_difference(*counts)
            differ = f"answers differ as much by chance in {chance:.2g} of all cases"
            return differ if chance < _LEAST_CHANCE else None
        distance = float(np.abs(stored - said).sum(axis=1).mean() / 2)
        differ = f"the mean total variation distance is {distance:.3f}, above {_MOST_DISTANCE:g}"
        return differ if distance > _MOST_DISTANCE else None

    def close(self) -> None:
        """Close the connections; what is under way is given up."""
        if self._background is not None:
            self._background.close()
            self._background = None

    @property
    def _sampled(self) -> bool:
        return self._asking.distribution == "samples"

    def _begin(self, text: str, errand: Errand) -> Future[_Answer]:
        if self._background is None:
            self._background = Background(f"teacher {self.source}", self._client.close)
        return self._background.start(self._answer(text, errand))

    def _answered(self, answers: Sequence[_Answer], seconds: float) -> Answered:
        known = [(answer.text, answer.row) for answer in answers if answer.row is not None]
        rows = np.array([row for _, row in known], dtype=np.float32)
        return Answered(
            texts=tuple(text for text, _ in known),
            probabilities=rows.reshape(len(known), len(self.labels)),
            skipped=tuple(answer.text for answer in answers if answer.row is None),
            seconds=seconds,
        )

    async def _answer(self, text: str, errand: Errand) -> _Answer:
        """One text's answer; a failure for good ends the whole errand."""
        try:
            ask = self._sample if self._sampled else self._weigh
            return _Answer(text, await ask(text, errand))
        except Stopped:
            raise
        except BaseException:
            errand.end()
            raise

    async def _weigh(self, text: str, errand: Errand) -> Row | None:
        for turn in range(1 + self._asking.ask_again):
            choice = (await self._ask(text, errand, answers=1, turn=turn)).choices[0]
            found = self._question.weighed(choice)
            if found is not None:
                return found.astype(np.float32)
            self._count_malformed(1)
            self._demand_logprobs(choice)
        self._refuse(choice)
        return None

    async def _sample(self, text: str, errand: Errand) -> Row | None:
        counts, wanted = np.zeros((1, len(self.labels)), dtype=np.int64), self._asking.samples
        turn = malformed = 0
        while (lacking := wanted - int(counts.sum())) > 0:
            many = min(lacking, self._asking.samples_per_request)
            choices = (await self._ask(text, errand, answers=many, turn=turn)).choices[:many]
            named = [self._question.named(choice) for choice in choices]
            for label in named:
                if label is not None:
                    counts[0, label] += 1
            bad = [choice for choice, label in zip(choices, named, strict=True) if label is None]
            self._count_malformed(len(bad))
            malformed += len(bad)
            turn += 1
            if bad and malformed > self._asking.ask_again:
                self._refuse(bad[-1])
                return None
        row: Row = smoothed(counts, self._asking.smoothing)[0]
        return row

    async def _ask(self, text: str, errand: Errand, *, answers: int, turn: int) -> Completion:
        body = self._question.body(text, answers=answers, turn=turn)
        found = await self._client.complete(body, self._question.expected(text, answers=answers), errand)
        self._check_identity(found)
        return found

    def _check_identity(self, found: Completion) -> None:
        """Refuse answers of another model than the first one's, or of another revision than the one set."""
        if self._revision is not None and found.system_fingerprint != self._revision:
            raise TeacherUnavailable(
                self.source,
                f"it answers with system_fingerprint {found.system_fingerprint!r} where teacher.revision is "
                f"{self._revision!r}; that is another teacher: set teacher.revision to it, or unset it",
            )
        self._served = self._served or found.model
        if found.model is not None and found.model != self._served:
            raise TeacherUnavailable(
                self.source,
                f"the endpoint answered as {self._served!r} and then as {found.model!r}; name a fixed "
                "version of the model in teacher.source",
            )

    def _count_malformed(self, answers: int) -> None:
        self._client.usage += Usage(malformed=answers)

    def _demand_logprobs(self, choice: Choice) -> None:
        if choice.said() and choice.positions() is None:
            advice = "set teacher.asking.distribution = 'samples', which asks teacher.asking.samples times"
            raise LabelRejected(self.source, f"logprobs with every answer ({advice})", "none")

    def _refuse(self, choice: Choice) -> None:
        """Give up on a text, unless malformed answers are skipped.

        Raises:
            LabelRejected: they are not.
        """
        if self._asking.malformed == "skip":
            return
        times = self._asking.ask_again
        expected = f"one of {', '.join(self.labels[:8])}{', …' if len(self.labels) > 8 else ''}"
        advice = "improve teacher.asking.prompt, or set teacher.asking.malformed = 'skip'"
        raise LabelRejected(
            self.source, expected, f"{choice.shown()} after asking again {times} time(s); {advice}"
        )


def _failed(one: Future[_Answer]) -> BaseException | None:
    """Why a text has no answer; None when it has one, or was only stopped because of another's failure."""
    failure = one.exception()
    return None if isinstance(failure, Stopped) else failure
