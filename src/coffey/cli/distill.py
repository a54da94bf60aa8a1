"""`coffey distill`: from data to a registered challenger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from coffey.cli.drawing import facts, figure_table
from coffey.cli.label import skipped_row
from coffey.cli.options import DEFAULT_CONFIG, AsJson, Config, opened
from coffey.cli.output import emit
from coffey.dashboard import figures

if TYPE_CHECKING:
    from coffey.distill.hard_labels import DoubtfulLabels
    from coffey.project.distill_result import DistillResult, ProofSummary, StageSummary, TeacherSummary


def distill(
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
    compare: Annotated[
        bool,
        typer.Option(
            "--compare", help="Also train the direct jump and the label-only student at equal compute."
        ),
    ] = False,
) -> None:
    """Label what is missing, train the chain, export, quantize, gate, register a challenger."""
    with opened(config) as project:
        result = project.distill(compare=compare)
    emit(result, as_json, draw)
    if not result.gate.passed:
        raise typer.Exit(1)


def _doubtful_row(found: DoubtfulLabels) -> list[tuple[str, str]]:
    if not found.rows:
        return []
    count = f"{found.rows:,} of {found.labelled:,} labelled rows"
    return [("doubtful labels", f"{count}: the teacher contradicts them and alone teaches those rows")]


def draw(result: DistillResult) -> RenderableType:
    """Stages, controls, the artifact and the gate's answer."""
    rows = [stage_row(stage, stage.name) for stage in result.stages]
    if result.controls:
        arms = (result.controls.direct, result.controls.labels_only)
        rows += [stage_row(arm, f"({arm.name})") for arm in arms if arm not in result.stages]
    if result.proof:
        trained = {row[0] for row in rows}
        routes = [stage_row(route, f"({route.name})") for route in result.proof.routes]
        rows += [row for row in routes if row[0] not in trained]
    parts: list[RenderableType] = [stage_table(rows, measure=result.student.measure)]
    parts += given_up_lines(result)
    if result.proof:
        parts += _proof_lines(result.proof)
    if result.controls:
        parts += [Text(comparison.verdict) for comparison in result.controls.comparisons]
    parts += [Text(f"Note: {note}") for note in result.notes]
    student, teacher = result.student, result.teacher
    params = figures.count(teacher.params) if teacher.params else "unknown"
    without = figures.count(student.params_without_embeddings)
    smaller = f", {figures.ratio(result.params_ratio)} smaller" if result.params_ratio else ""
    parts.append(
        facts(
            [
                ("teacher", f"{teacher.source}: {params} parameters{_accuracy(teacher)}"),
                (
                    "student",
                    f"{figures.count(student.params)} parameters ({without} without embeddings){smaller}",
                ),
                *skipped_row(result.labelling),
                *_doubtful_row(result.doubtful),
                ("ships as", f"{student.variant}, {figures.size(student.bytes)}"),
                ("agreement", figures.interval(student.agreement)),
                (
                    student.measure,
                    figures.interval(student.accuracy) if student.accuracy else "no labelled holdout",
                ),
                (
                    "retention",
                    figures.interval(student.retention) if student.retention else "no labelled holdout",
                ),
                ("gate", f"{'passed' if result.gate.passed else 'refused'}: {result.gate.reason}"),
                ("artifact", result.artifact),
                (
                    "challenger",
                    f"{result.challenger} (make it live: coffey promote)" if result.challenger else "none",
                ),
                ("report", result.report or ""),
            ]
        )
    )
    return Group(*parts)


def _proof_lines(proof: ProofSummary) -> list[RenderableType]:
    lines = [
        f"{one.stage} {'is kept' if one.kept else 'is dropped'}: {one.reason}." for one in proof.decisions
    ]
    lines.append(f"What ships: the {proof.shipped}.")
    return [Text(line) for line in (*lines, *([proof.advice] if proof.advice else []))]


def given_up_lines(result: DistillResult) -> list[Text]:
    """Why students were given up before their end, but for the stages that the proof says it of."""
    judged = {one.stage for one in result.proof.decisions} if result.proof else set[str]()
    trained = [stage for stage in result.stages if stage.name not in judged]
    trained += result.proof.routes if result.proof else ()
    trained += (result.controls.direct, result.controls.labels_only) if result.controls else ()
    hopeless = {one.name: one.hopeless for one in trained if one.hopeless}
    return [
        Text(f"{name} was given up {why}. Higher chain.epochs would give it more steps.")
        for name, why in hopeless.items()
    ]


def stage_table(rows: list[tuple[str, ...]], *, measure: str = "accuracy") -> RenderableType:
    """A table of `stage_row`s; `measure` is what the quality against true labels is called."""
    columns = (
        "stage",
        "parameters",
        "without emb.",
        "taught by",
        "steps",
        "time",
        "agreement",
        measure,
        "retention",
    )
    return figure_table(columns, rows, words=frozenset({0, 3}))


def stage_row(stage: StageSummary, name: str) -> tuple[str, ...]:
    """One trained student in a line."""
    quality = stage.quality
    return (
        name,
        figures.count(stage.params),
        figures.count(stage.params_without_embeddings),
        " + ".join(stage.taught_by),
        f"{stage.steps:,}",
        figures.seconds(stage.seconds),
        figures.interval(quality.agreement),
        figures.share(quality.accuracy.value) if quality.accuracy else "",
        figures.interval(quality.retention) if quality.retention else "",
    )


def _accuracy(teacher: TeacherSummary) -> str:
    return f", {teacher.measure} {figures.interval(teacher.accuracy)}" if teacher.accuracy else ""
