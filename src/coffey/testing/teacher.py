"""A teacher that needs no model, and the checks that every teacher must pass."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from coffey.core.errors import TeacherUnavailable
from coffey.core.ids import input_key
from coffey.teacher.answers import are_independent
from coffey.teacher.fingerprint import fingerprint
from coffey.teacher.protocol import Probabilities, Teacher


class FixedTeacher:
    """Answers by the digest of the text: always the same, in no time, without a model.

    Args:
        labels: names of its labels.
        seed: another seed gives other answers and another fingerprint.
        log: a file to which the key of every asked text is appended, one a line, before it is answered; it
            survives `kill -9`.
        seconds: time that a batch takes.
        fail_at: number of the batch (from 1) that fails with `TeacherUnavailable`.
        die_at: number of the batch in which the process kills itself with SIGKILL.
    """

    def __init__(
        self,
        labels: Sequence[str] = ("no", "perhaps", "yes"),
        *,
        seed: int = 0,
        log: Path | None = None,
        seconds: float = 0.0,
        fail_at: int | None = None,
        die_at: int | None = None,
    ) -> None:
        self.source = "fixed"
        self.labels = tuple(labels)
        self.params: int | None = None
        self.header: Mapping[str, object] = {"kind": "fixed", "seed": seed, "labels": list(self.labels)}
        self.fingerprint = fingerprint(self.header)
        self.calls = 0
        self.texts_asked = 0
        self._seed = seed
        self._log = log
        self._seconds = seconds
        self._fail_at = fail_at
        self._die_at = die_at

    def predict(self, texts: Sequence[str]) -> Probabilities:
        """Float32 [len(texts), len(labels)], from the keys of the texts."""
        self.calls += 1
        self.texts_asked += len(texts)
        keys = [input_key(text) for text in texts]
        if self._log is not None:
            with self._log.open("a", encoding="ascii") as file:
                file.write("".join(f"{key}\n" for key in keys))
        time.sleep(self._seconds)
        if self.calls == self._die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.calls == self._fail_at:
            raise TeacherUnavailable(self.source, f"told to fail at batch {self.calls}")
        shape = (len(keys), len(self.labels))
        return np.array([self._answer(key) for key in keys], dtype=np.float32).reshape(shape)

    def close(self) -> None:
        """Nothing to give back."""

    def _answer(self, key: str) -> Probabilities:
        rng = np.random.default_rng([int(key, 16), self._seed])
        logits = 3 * rng.standard_normal(len(self.labels))
        weights = np.exp(logits - logits.max())
        answer: Probabilities = (weights / weights.sum()).astype(np.float32)
        return answer


def check_teacher(teacher: Teacher, texts: Sequence[str], *, tolerance: float = 1e-4, seed: int = 0) -> None:
    """Check the duties of `Teacher` on `texts` (at least two, of different lengths).

    Args:
        teacher: the teacher under test.
        texts: what it is asked, several times over.
        tolerance: largest difference that counts as floating-point noise.
        seed: of the order in which texts are asked again.

    Raises:
        AssertionError: says which duty is broken.
    """
    answers = teacher.predict(texts)
    shape = (len(texts), len(teacher.labels))
    _demand(answers.shape == shape and answers.dtype == np.float32, f"predict gives float32 {shape}")
    _demand(bool((answers >= 0).all()), "no probability is negative")
    if are_independent(teacher.header):
        _demand(bool((answers <= 1).all()), "no probability is over 1")
    else:
        _demand(bool((np.abs(answers.sum(axis=1) - 1) < tolerance).all()), "every row sums to 1")
    _demand(fingerprint(teacher.header) == teacher.fingerprint, "the fingerprint is the digest of the header")

    order = np.random.default_rng(seed).permutation(len(texts))
    shuffled = teacher.predict([texts[i] for i in order])
    _demand(_close(shuffled, answers[order], tolerance), "an answer does not depend on the order")

    single = np.concatenate([teacher.predict([text]) for text in texts])
    _demand(_close(single, answers, tolerance), "an answer does not depend on the batch")

    twice = teacher.predict([text for text in texts for _ in range(2)])
    _demand(_close(twice[::2], twice[1::2], tolerance), "equal texts get equal answers")
    _demand(teacher.predict([]).shape == (0, len(teacher.labels)), "no text gives no row")


def _close(one: Probabilities, other: Probabilities, tolerance: float) -> bool:
    return bool((np.abs(one - other) <= tolerance).all())


def _demand(kept: bool, duty: str) -> None:
    if not kept:
        raise AssertionError(f"Broken duty of a teacher: {duty}.")
