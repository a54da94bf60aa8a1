"""What every endpoint works with: the board, its views, the keys, and how a page is drawn around a body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse

from coffey.dashboard.live.access import Access, NotAllowed, Role, Visitor
from coffey.dashboard.live.board import Board
from coffey.dashboard.live.status import Status, status_of
from coffey.dashboard.live.views import View, Views
from coffey.dashboard.page import templates

TABS = {
    "money": "Money",
    "chain": "Chain",
    "latency": "Latency",
    "contract": "Contract",
    "models": "Models",
    "playground": "Playground",
}
"""The pages by their addresses, in their order."""

MOST_FORM_BYTES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Desk:
    """One running dashboard."""

    board: Board
    access: Access
    views: Views = field(default_factory=Views)

    def visitor(self, request: Request, *, needs: Role = Role.READER, what: str = "This page") -> Visitor:
        """Who asks.

        Raises:
            NotAllowed: it takes another key than theirs.
        """
        visitor = self.access.visitor(request)
        if visitor.role < needs:
            raise NotAllowed(what, "a write key" if needs is Role.WRITER else "a key")
        return visitor

    def status(self) -> Status | None:
        """What every page begins with; None while it is read."""
        figures = self.views.look(self.board.sources["status"]).figures
        return None if figures is None else status_of(figures)

    def look(self, page: str) -> View:
        """The newest figures of a page; the contract's with the drift, which takes longer and comes later."""
        view = self.views.look(self.board.sources[page])
        if page != "contract" or view.figures is None:
            return view
        drift = self.views.look(self.board.sources["drift"])
        unknown = drift.problem or "The drift of the inputs is being measured."
        told = {"drift_unknown": unknown} if drift.figures is None else drift.figures
        return View({**view.figures, **told}, view.problem)

    def whole(
        self,
        request: Request,
        body: str,
        told: Mapping[str, object],
        *,
        current: str,
        status_code: int = 200,
    ) -> HTMLResponse:
        """A whole page around the template `body`, which is told what is in `told`."""
        visitor = self.access.visitor(request)
        common = {
            "body": body,
            "title": TABS.get(current, "Sign in"),
            "name": self.board.name,
            "tabs": tuple(TABS.items()) if visitor.role >= Role.READER else (),
            "current": current,
            "visitor": visitor,
            "can_sign_in": self.access.asks_for_keys,
            "token": self.access.form_token(visitor),
            "part": "",
            "loading": False,
        }
        page = templates().get_template("live.html").render({**common, **told})
        return HTMLResponse(page, status_code=status_code)


async def read_form(request: Request) -> Mapping[str, str]:
    """The fields of a form that a browser sent; the last of several of one name.

    Raises:
        NotAllowed: it is larger than any of ours, or no form.
    """
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_FORM_BYTES:
            raise NotAllowed("A form", f"to be at most {MOST_FORM_BYTES:,} bytes")
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=20)
    except ValueError as exc:
        raise NotAllowed("This", "a form of this dashboard") from exc
    return {name: values[-1] for name, values in fields.items()}
