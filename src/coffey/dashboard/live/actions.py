"""Promote and roll back: a page that asks again, and the form that it sends."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from coffey.core.errors import UnknownVersion
from coffey.dashboard.live.access import Role, Visitor
from coffey.dashboard.live.desk import Desk, read_form

WHAT = "Promoting and rolling back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What is about to be done, in words, and the form that does it."""

    title: str
    says: str
    button: str
    address: str
    hidden: tuple[tuple[str, str], ...]


def routes_of(desk: Desk) -> list[Route]:
    """Two addresses an action."""

    def ask_promote(request: Request) -> Response:
        desk.visitor(request, needs=Role.WRITER, what=WHAT)
        action = promoting(request.query_params.get("name", ""), desk.board.aliases().get("champion"))
        return desk.whole(request, "confirm.html", {"action": action}, current="models")

    def ask_rollback(request: Request) -> Response:
        desk.visitor(request, needs=Role.WRITER, what=WHAT)
        aliases = desk.board.aliases()
        if "previous" not in aliases or "champion" not in aliases:
            raise UnknownVersion("previous", list(aliases))
        action = rolling_back(aliases["previous"], aliases["champion"])
        return desk.whole(request, "confirm.html", {"action": action}, current="models")

    async def promote(request: Request) -> Response:
        visitor = desk.visitor(request, needs=Role.WRITER, what=WHAT)
        form = await read_form(request)
        desk.access.check_form(visitor, form.get("token", ""))
        await run_in_threadpool(
            desk.board.promote,
            form.get("name", ""),
            instead_of=form.get("instead_of") or None,
            who=_who(visitor),
            reason=form.get("reason", ""),
        )
        return RedirectResponse("/models", status_code=303)

    async def rollback(request: Request) -> Response:
        visitor = desk.visitor(request, needs=Role.WRITER, what=WHAT)
        form = await read_form(request)
        desk.access.check_form(visitor, form.get("token", ""))
        await run_in_threadpool(
            desk.board.rollback,
            instead_of=form.get("instead_of", ""),
            who=_who(visitor),
            reason=form.get("reason", "") or "asked for",
        )
        return RedirectResponse("/models", status_code=303)

    return [
        Route("/models/promote", ask_promote, methods=["GET"]),
        Route("/models/promote", promote, methods=["POST"]),
        Route("/models/rollback", ask_rollback, methods=["GET"]),
        Route("/models/rollback", rollback, methods=["POST"]),
    ]


def promoting(name: str, champion: str | None) -> Action:
    """The promotion of a version in the place of the champion that is seen now."""
    instead = f" in the place of {champion}, which a rollback brings back" if champion else ""
    return Action(
        title=f"Promote {name}?",
        says=f"{name} becomes the champion{instead}. Running servers follow.",
        button=f"Promote {name}",
        address="/models/promote",
        hidden=(("name", name), ("instead_of", champion or "")),
    )


def rolling_back(previous: str, champion: str) -> Action:
    """The return of the previous champion."""
    return Action(
        title=f"Roll back to {previous}?",
        says=f"{previous} becomes the champion again, and {champion} the previous one. Servers follow.",
        button=f"Roll back to {previous}",
        address="/models/rollback",
        hidden=(("instead_of", champion),),
    )


def _who(visitor: Visitor) -> str:
    return f"coffey dash, key {visitor.key}"
