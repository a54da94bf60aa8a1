"""The pages with figures: whole, as the part that changes, and as JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from coffey.core.records import JsonObject
from coffey.dashboard.live.access import Role, Visitor
from coffey.dashboard.live.desk import TABS, Desk
from coffey.dashboard.live.pages.chain import chain_page
from coffey.dashboard.live.pages.contract import contract_page
from coffey.dashboard.live.pages.latency import latency_page
from coffey.dashboard.live.pages.models import models_page
from coffey.dashboard.live.pages.money import money_page
from coffey.dashboard.live.views import View
from coffey.dashboard.page import Page, templates

Draw = Callable[[JsonObject, Visitor], Page]

PAGES: dict[str, Draw] = {
    "money": lambda found, _: money_page(found),
    "chain": lambda found, _: chain_page(found),
    "latency": lambda found, _: latency_page(found),
    "contract": lambda found, _: contract_page(found),
    "models": lambda found, visitor: models_page(found, may_write=visitor.role >= Role.WRITER),
}


def routes_of(desk: Desk) -> list[Route]:
    """Three addresses a page."""
    return [route for name in PAGES for route in _routes(desk, name)]


def _routes(desk: Desk, name: str) -> list[Route]:
    def whole(request: Request) -> Response:
        visitor = desk.visitor(request)
        view = desk.look(name)
        told = _told(desk, name, view, visitor)
        loading = view.figures is None and not view.problem
        more = {"part": f"/{name}/part", "loading": loading}
        return desk.whole(request, "part.html", {**told, **more}, current=name)

    def part(request: Request) -> Response:
        visitor = desk.visitor(request)
        told = _told(desk, name, desk.look(name), visitor)
        text = templates().get_template("part.html").render(title=TABS[name], **told)
        tag = f'"{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}"'
        head = {"etag": tag, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=head)
        return HTMLResponse(text, headers=head)

    def figures(request: Request) -> Response:
        desk.visitor(request)
        view = desk.look(name)
        if view.figures is None:
            said = view.problem or "The store is being read. Ask again in a moment."
            return JSONResponse({"error": said}, status_code=503, headers={"retry-after": "1"})
        return JSONResponse(dict(view.figures))

    return [Route(f"/{name}", whole), Route(f"/{name}/part", part), Route(f"/{name}.json", figures)]


def _told(desk: Desk, name: str, view: View, visitor: Visitor) -> dict[str, object]:
    """What the template of the changing part needs."""
    page = None if view.figures is None else PAGES[name](view.figures, visitor)
    return {"page": page, "problem": view.problem, "status": desk.status()}
