"""One probe: the teacher and every candidate, measured on this machine."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from coffey.artifact.signing import Signer
from coffey.bench.machine import describe_machine
from coffey.bench.noise import measure_noise
from coffey.core.clock import monotonic
from coffey.core.progress import Progress, Silent
from coffey.core.settings import Settings
from coffey.economics.probe_result import ProbeResult
from coffey.export.teacher import Shelf
from coffey.probe.options import ProbeOptions
from coffey.probe.student import plan_candidates, probe_student
from coffey.probe.teacher import probe_teacher
from coffey.teacher.protocol import ExportableTeacher, Teacher

_TASK = "probe"


def probe(
    teacher: Teacher,
    texts: Sequence[str],
    settings: Settings,
    *,
    options: ProbeOptions | None = None,
    shelf: Shelf | None = None,
    progress: Progress | None = None,
) -> ProbeResult:
    """Measure what a plan would else assume; of what it writes, only the exported teacher is kept.

    Args:
        teacher: asked at most `options.texts + options.again` texts in batches, and some more: one batch to
            warm up, a few to check its export, and some alone where it has no network to take out.
        texts: the transfer set, or a sample of it (vocabularies come out smaller then).
        settings: stages, training, export, price.
        options: how much is measured.
        shelf: where the teacher's export is kept for `bench` and the next probe; without, it is not kept.
        progress: hears about each part.

    Raises:
        TeacherUnavailable: the teacher does not answer.
        ProbeFailed: the teacher's network cannot be exported.
        NotReady, ServeError: a candidate could not be served or asked.
        ConfigError: a stage's text cannot be read or met.
        ValueError: there are no texts.
    """
    chosen, told = options or ProbeOptions(), progress or Silent()
    begin = monotonic()
    noise = measure_noise()
    if noise.warning:
        told.say(noise.warning)
    told.start(_TASK, 1 + len(settings.chain.stages), "model")
    with tempfile.TemporaryDirectory(prefix="coffey-probe-") as scratch:
        folder = Path(scratch)
        kept = shelf or Shelf(name="teacher", store=folder / "store", signer=Signer.open(folder / "keys"))
        asked = probe_teacher(teacher, texts, settings.teacher, chosen, shelf=kept, folder=folder / "teacher")
        told.advance(_TASK, note=f"teacher {asked.p50_ms:.2f} ms")
        shown = teacher if isinstance(teacher, ExportableTeacher) else None
        candidates = plan_candidates(
            texts,
            labels=teacher.labels,
            tokenizer=shown.tokenizer() if shown else None,
            encoder=shown.encoder() if shown else None,
            settings=settings,
            progress=told,
        )
        stages = []
        for number, candidate in enumerate(candidates):
            place = folder / str(number)
            stages.append(probe_student(candidate, texts, teacher.labels, settings, chosen, folder=place))
            told.advance(_TASK, note=f"{candidate.name} {stages[-1].p50_ms:.2f} ms")
    told.finish(_TASK)
    return ProbeResult(
        machine=describe_machine(),
        teacher=asked,
        stages=tuple(stages),
        seconds=monotonic() - begin,
        noise_warning=noise.warning,
    )
