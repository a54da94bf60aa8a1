"""The playground: a text, the student's answer with its scores and microseconds, the teacher's on demand."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from coffey.core.errors import CoffeyError
from coffey.dashboard import figures
from coffey.dashboard.live.access import Role
from coffey.dashboard.live.board import Board, Said
from coffey.dashboard.live.desk import Desk, read_form
from coffey.dashboard.page import Tone, templates

PART = "x-coffey-part"
"""The head by which our script asks for the answer alone."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer as the template writes it."""

    who: str
    labels: tuple[str, ...]
    scores: tuple[tuple[str, str, str], ...]
    """Label, probability for people, and for the bar."""
    took: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of a text."""

    answers: tuple[Shown, ...] = ()
    verdict: str = ""
    tone: Tone = "plain"
    problem: str = ""

    def told(self) -> dict[str, object]:
        """For the template."""
        return {"answers": self.answers, "verdict": self.verdict, "tone": self.tone, "problem": self.problem}


def routes_of(desk: Desk) -> list[Route]:
    """The form, and what it sends."""

    def ask(request: Request) -> Response:
        desk.visitor(request)
        page = _whole(desk, request, "", Answered())
        page.background = BackgroundTask(desk.board.prepare)
        return page

    async def answer(request: Request) -> Response:
        form = await read_form(request)
        both = form.get("who") == "both"
        visitor = desk.visitor(request, needs=Role.WRITER if both else Role.READER, what="Asking the teacher")
        if both:
            desk.access.check_form(visitor, form.get("token", ""))
        text = form.get("text", "")
        found = await run_in_threadpool(answered, desk.board, text, teacher=both)
        if PART in request.headers:
            return HTMLResponse(templates().get_template("answer.html").render(**found.told()))
        return _whole(desk, request, text, found)

    return [Route("/playground", ask, methods=["GET"]), Route("/playground", answer, methods=["POST"])]


def answered(board: Board, text: str, *, teacher: bool) -> Answered:
    """What the student says to a text, and the teacher when it is to be asked. A failure is said."""
    if not 0 < len(text.strip()) <= board.longest_text:
        return Answered(problem=f"A text of 1 to {board.longest_text:,} characters is expected.")
    said: list[Said] = []
    try:
        said.append(board.student(text))
        if teacher:
            said.append(board.teacher(text))
    except CoffeyError as exc:
        return Answered(answers=tuple(map(_shown, said)), problem=str(exc))
    except Exception as exc:  # noqa: BLE001 - the edge to a teacher of the user's own
        problem = f"Unexpected {type(exc).__name__}: {exc}"
        return Answered(answers=tuple(map(_shown, said)), problem=problem)
    if not teacher:
        return Answered(answers=tuple(map(_shown, said)))
    same = set(said[0].labels) == set(said[1].labels)
    return Answered(
        answers=tuple(map(_shown, said)),
        verdict="Both say the same." if same else "They disagree.",
        tone="good" if same else "warn",
    )


def _shown(said: Said) -> Shown:
    timed = "" if said.microseconds is None else f"{said.microseconds:,.0f} µs, in process"
    return Shown(
        who=said.who,
        labels=said.labels,
        scores=tuple((label, figures.share(score), f"{score:.4f}") for label, score in said.scores),
        took=", ".join(part for part in (timed, said.note) if part),
    )


def _whole(desk: Desk, request: Request, text: str, found: Answered) -> Response:
    may_write = desk.access.visitor(request).role >= Role.WRITER
    told = {"text": text, "longest": desk.board.longest_text, "can_write": may_write}
    return desk.whole(request, "playground.html", {**told, **found.told()}, current="playground")
