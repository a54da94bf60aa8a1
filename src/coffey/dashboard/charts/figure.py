"""A chart in its figure: caption, legend, a wide and a narrow drawing, and the data as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from coffey.core.ids import digest_json
from coffey.dashboard.charts.data import Data
from coffey.dashboard.charts.markup import NOTHING, Html, tag, text
from coffey.dashboard.charts.plot import Caption, Mark

WIDE, HALF, NARROW = (960.0, 360.0), (462.0, 320.0), (350.0, 300.0)
"""Sizes (px) at which text is drawn in its true size on a desktop, on half of it and on a phone."""
SHOWN_ROWS = 60
SERIES = 5
"""How many colours there are; see style.css."""

Draw = Callable[[float, float], Html]
"""Width and height in px to the content of an svg element."""


@dataclass(frozen=True, slots=True)
class Legend:
    """Names of kinds with the classes that give their keys colour and shape."""

    names: Sequence[str]
    classes: Sequence[str]


def figure(
    caption: Caption,
    draw: Draw,
    data: Data,
    *,
    legend: Sequence[str] | Legend = (),
    keys: str = "lines",
    lines: Sequence[Mark] = (),
    role: str = "img",
) -> Html:
    """A `<figure>` with title, description, legend, two drawings (CSS shows the fitting one) and a table.

    Args:
        caption: title and description.
        draw: draws the content at a given width and height.
        data: the table behind the chart.
        legend: names of the series in the order of their colours, or names with classes; left out for
            fewer than two.
        keys: `lines` or `marks`, the form of the legend's keys.
        lines: thresholds, listed where the drawing has no room for several labels.
        role: of the drawings; `group` where parts of them can be visited.
    """
    name = "f" + digest_json([caption.title, caption.description, data.csv()])[:10]
    wide = HALF if caption.half else WIDE
    drawings = [
        _svg(caption, draw, f"{name}{kind[0]}", kind=kind, size=(width, caption.height or usual), role=role)
        for kind, (width, usual) in (("wide", wide), ("narrow", NARROW))
    ]
    words = tag("figcaption", tag("strong", text(caption.title)), tag("span", text(caption.description)))
    shape = "chart half" if caption.half else "chart"
    return tag(
        "figure", words, _legend(legend, keys), *drawings, _lines(lines), _table(caption, data), class_=shape
    )


def color(index: int) -> str:
    """The class that gives the series number `index` its colour."""
    return f"s{index % SERIES + 1}"


def thin(count: int, limit: int) -> list[int]:
    """At most `limit` evenly spaced indices of `count`, the first and the last among them.

    >>> thin(3, 10), thin(100, 3)
    ([0, 1, 2], [0, 50, 99])
    """
    if count <= limit:
        return list(range(count))
    return [round(index * (count - 1) / (limit - 1)) for index in range(limit)]


def _svg(caption: Caption, draw: Draw, name: str, *, kind: str, size: tuple[float, float], role: str) -> Html:
    width, height = size
    return tag(
        "svg",
        tag("title", text(caption.title), id=f"{name}t"),
        tag("desc", text(caption.description), id=f"{name}d"),
        draw(width, height),
        viewBox=f"0 0 {width:g} {height:g}",
        role=role,
        aria_labelledby=f"{name}t {name}d",
        class_=kind,
    )


def _legend(legend: Sequence[str] | Legend, keys: str) -> Html:
    if not isinstance(legend, Legend):
        legend = Legend(legend, [color(index) for index in range(len(legend))])
    if len(legend.names) < 2:
        return NOTHING
    items = [
        tag("li", tag("i", class_=f"key {kind}"), text(name))
        for name, kind in zip(legend.names, legend.classes, strict=True)
    ]
    return tag("ul", *items, class_=f"legend {keys}")


def _lines(lines: Sequence[Mark]) -> Html:
    if len(lines) < 2:
        return NOTHING
    items = [tag("li", tag("i", class_=f"dash {line.tone}"), text(line.label)) for line in lines]
    return tag("ul", *items, class_="legend thresholds")


def _table(caption: Caption, data: Data) -> Html:
    kept = thin(len(data.rows), SHOWN_ROWS)
    note = f" ({len(kept)} of {len(data.rows)} rows, evenly spaced)" if len(kept) < len(data.rows) else ""
    head = tag("tr", *(tag("th", text(column.name), scope="col") for column in data.columns))
    rows = [tag("tr", *(tag("td", text(cell)) for cell in data.written(index))) for index in kept]
    table = tag(
        "table",
        tag("caption", text(caption.title)),
        tag("thead", head),
        tag("tbody", *rows),
    )
    return tag(
        "details",
        tag("summary", text(f"Data{note}")),
        tag("div", table, class_="scroll", tabindex="0", role="region", aria_label=f"Data: {caption.title}"),
        tag(
            "a",
            text("Download as CSV"),
            href=data.address(),
            download=_file(caption.title),
            class_="csv",
        ),
    )


def _file(title: str) -> str:
    """A title as the name of a file.

    >>> _file("Latency, http: one request")
    'latency-http-one-request.csv'
    """
    words = "".join(letter if letter.isalnum() else " " for letter in title.lower()).split()
    return f"{'-'.join(words)}.csv"
