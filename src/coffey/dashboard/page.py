"""A report page: header with one verdict, tiles, sections, facts; one file, no script, no request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from coffey.core.errors import MissingExtra
from coffey.dashboard import figures
from coffey.dashboard.charts.markup import Html

if TYPE_CHECKING:
    import jinja2
    from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"
Tone = Literal["plain", "good", "bad", "warn"]


@dataclass(frozen=True, slots=True)
class Tile:
    """One headline figure: what it is, the figure, and a few words more."""

    label: str
    value: str
    note: str = ""
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as people read them; `text_columns` are left-aligned, the others are figures."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    text_columns: frozenset[int] = frozenset({0})
    strong_rows: frozenset[int] = frozenset()
    tight_columns: frozenset[int] = frozenset()
    """Text columns that are never broken over two lines."""


def filled(table: Table) -> Table:
    """The table without the columns in which no row has a figure."""
    kept = [
        index
        for index in range(len(table.columns))
        if any(row[index] not in ("", figures.ABSENT) for row in table.rows)
    ]
    return replace(
        table,
        columns=[table.columns[index] for index in kept],
        rows=[[row[index] for index in kept] for row in table.rows],
        text_columns=frozenset(place for place, index in enumerate(kept) if index in table.text_columns),
        tight_columns=frozenset(place for place, index in enumerate(kept) if index in table.tight_columns),
    )


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and what they are, as a list; `wide` gives each a whole line, for sentences."""

    pairs: Sequence[tuple[str, str]]
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """One paragraph that the reader must not miss."""

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Drawing:
    """One chart, as `dashboard.charts` makes it."""

    html: Html


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a flow: what it is, its name, and a few facts."""

    kind: str
    name: str
    facts: Sequence[tuple[str, str]]
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Flow:
    """Steps that follow one another; `label` names the whole for those who do not see it."""

    label: str
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True)
class Links:
    """What can be done: a label and an address of this server each, the likeliest first."""

    pairs: Sequence[tuple[str, str]]


Block = Table | Facts | Note | Drawing | Flow | Links


@dataclass(frozen=True, slots=True)
class Section:
    """One subject: a title, a sentence, and what shows it."""

    title: str
    lead: str
    blocks: Sequence[Block]

    @property
    def anchor(self) -> str:
        """The title as a fragment of the page's address."""
        return "-".join("".join(c if c.isalnum() else " " for c in self.title.lower()).split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A whole report."""

    kind: str
    """What kind of report this is, for example `Plan`."""
    name: str
    verdict: str
    tone: Tone = "plain"
    meta: Sequence[tuple[str, str]] = ()
    """Machine, command, time: the line under the verdict."""
    tiles: Sequence[Tile] = ()
    sections: Sequence[Section] = ()
    facts: Sequence[tuple[str, str]] = field(default=())
    """Versions and the like, at the end."""


def render(page: Page) -> str:
    """The page as one HTML document.

    Everything that is not a chart is escaped by the template engine; charts escape their own texts.

    Raises:
        MissingExtra: jinja2 (the extra `watch`) is not installed.
    """
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    return templates().get_template("page.html").render(page=page, style=style)


@cache
def templates() -> jinja2.Environment:
    """The templates of reports and of the live dashboard.

    Raises:
        MissingExtra: jinja2 (the extra `watch`) is not installed.
    """
    try:
        import jinja2
    except ImportError as exc:
        raise MissingExtra("A report", "watch", "jinja2") from exc
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name, kind in {"table": Table, "facts": Facts, "note": Note, "flow": Flow, "links": Links}.items():
        environment.tests[name] = _test_of(kind)
    environment.filters["spoken"] = with_code
    return environment


def with_code(words: str) -> Markup:
    """A sentence as markup: what stands between backticks is code.

    >>> print(with_code("Run `coffey plan` <now>."))
    Run <code>coffey plan</code> &lt;now&gt;.
    """
    from markupsafe import Markup, escape

    pieces = words.split("`")
    if len(pieces) % 2 == 0:
        return escape(words)
    written = (
        Markup("<code>{}</code>").format(piece) if place % 2 else escape(piece)
        for place, piece in enumerate(pieces)
    )
    return Markup("").join(written)


def _test_of(kind: type) -> Callable[[object], bool]:
    return lambda block: isinstance(block, kind)
