"""Signing in and out."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from coffey.dashboard.live.access import COOKIE, LASTS_S, Role
from coffey.dashboard.live.desk import TABS, Desk, read_form


def routes_of(desk: Desk) -> list[Route]:
    """Open to everybody."""

    def ask(request: Request) -> Response:
        wanted = _known(request.query_params.get("next", ""))
        return desk.whole(request, "sign_in.html", {"next": wanted, "refused": False}, current="")

    async def sign_in(request: Request) -> Response:
        form = await read_form(request)
        wanted = _known(form.get("next", ""))
        cookie = desk.access.sign_in(form.get("key", ""))
        if cookie is None:
            told = {"next": wanted, "refused": True}
            return desk.whole(request, "sign_in.html", told, current="", status_code=403)
        response = RedirectResponse(f"/{wanted}", status_code=303)
        response.set_cookie(
            COOKIE,
            cookie,
            max_age=LASTS_S,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return response

    async def sign_out(request: Request) -> Response:
        visitor = desk.visitor(request, needs=Role.NOBODY)
        form = await read_form(request)
        desk.access.check_form(visitor, form.get("token", ""))
        response = RedirectResponse("/sign-in", status_code=303)
        response.delete_cookie(COOKIE)
        return response

    return [
        Route("/sign-in", ask, methods=["GET"]),
        Route("/sign-in", sign_in, methods=["POST"]),
        Route("/sign-out", sign_out, methods=["POST"]),
    ]


def _known(page: str) -> str:
    """A page of ours: an address from outside leads nowhere else."""
    return page if page in TABS else next(iter(TABS))
