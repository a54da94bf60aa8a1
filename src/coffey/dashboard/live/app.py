"""The application: pages, actions, the playground, signing in, static files."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Collection
from functools import cache
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from coffey.core.errors import CoffeyError
from coffey.dashboard.live import actions, doors, playground, shown
from coffey.dashboard.live.access import Access, NotAllowed, Role
from coffey.dashboard.live.board import Board
from coffey.dashboard.live.desk import TABS, Desk
from coffey.dashboard.live.guard import Guard
from coffey.dashboard.page import TEMPLATES

STATIC = Path(__file__).parents[1] / "static"
FILES = {
    "style.css": (TEMPLATES, "text/css"),
    "live.css": (STATIC, "text/css"),
    "live.js": (STATIC, "text/javascript"),
    "icon.svg": (STATIC, "image/svg+xml"),
}
"""What is given to anybody: name, folder, type."""


def build_app(board: Board, access: Access, *, hosts: Collection[str] | None = None) -> Starlette:
    """The dashboard of a board; `hosts` as `Guard` takes them."""
    desk = Desk(board=board, access=access)

    @contextlib.asynccontextmanager
    async def alive(_: Starlette) -> AsyncIterator[None]:
        yield
        desk.views.close()

    return Starlette(
        routes=[
            Route("/", lambda _: RedirectResponse(f"/{next(iter(TABS))}")),
            Route("/healthz", lambda _: JSONResponse({"live": True})),
            Route("/static/{name}", _static),
            *shown.routes_of(desk),
            *actions.routes_of(desk),
            *playground.routes_of(desk),
            *doors.routes_of(desk),
        ],
        middleware=[Middleware(Guard, hosts=hosts)],
        exception_handlers={
            NotAllowed: lambda request, exc: _not_allowed(desk, request, exc),
            CoffeyError: lambda request, exc: _notice(desk, request, 409, "That was not done", str(exc)),
            HTTPException: lambda request, exc: _http(desk, request, exc),
        },
        lifespan=alive,
    )


def _not_allowed(desk: Desk, request: Request, exc: Exception) -> Response:
    page = request.url.path.strip("/").partition("/")[0]
    looking = request.method == "GET" and request.url.path == f"/{page}" and page in TABS
    if looking and desk.access.visitor(request).role is Role.NOBODY:
        return RedirectResponse(f"/sign-in?next={page}", status_code=303)
    if request.method == "GET" and not request.url.path.startswith("/models/"):
        return JSONResponse({"error": str(exc)}, status_code=401)
    return _notice(desk, request, 403, "Not allowed", str(exc))


def _http(desk: Desk, request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    if exc.status_code == 404:
        return _notice(desk, request, 404, "No such page", f"There is nothing at {request.url.path}.")
    return _notice(desk, request, exc.status_code, "That does not work", exc.detail)


def _notice(desk: Desk, request: Request, status: int, title: str, says: str) -> Response:
    page = request.url.path.strip("/").partition("/")[0]
    current = page if page in TABS else ""
    more = {"title": title, "says": says, "back": f"/{current}"}
    return desk.whole(request, "notice.html", more, current=current, status_code=status)


@cache
def _file(name: str) -> bytes:
    return (FILES[name][0] / name).read_bytes()


def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in FILES:
        raise HTTPException(404)
    return Response(_file(name), media_type=FILES[name][1], headers={"cache-control": "max-age=300"})
