"""A chart of a report as an object: shown in a notebook, kept as a page or as a picture."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from coffey.core.files import write_atomic
from coffey.dashboard.charts.markup import Html, join, tag, text
from coffey.dashboard.charts.shapes import RADIUS_PX, draw_shape
from coffey.dashboard.embedded import embedded
from coffey.dashboard.page import TEMPLATES

_SVG = "http://www.w3.org/2000/svg"
_MARGIN_PX = 20.0
_TITLE_PX, _LEAD_PX, _LEGEND_PX = 34.0, 56.0, 80.0
"""Base lines of the title, the description and the legend of a picture."""
_CHARACTER_PX = 6.6
"""Mean width of a character of the legend, generous."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart with its caption, legend and figures; in a notebook it shows itself."""

    title: str
    figure: Html
    """A `<figure>`, as `dashboard.charts` draws it."""

    def __repr__(self) -> str:
        return f"<Chart {self.title!r}: save('chart.svg') or save('chart.html') keeps it>"

    def _repr_html_(self) -> str:
        return embedded(self.figure)

    def save(self, path: str | Path) -> Path:
        """Write the chart to `path`: `.svg` a picture, `.html` a page with the figures behind it.

        Raises:
            ValueError: the name ends in neither.
            StoreUnavailable: the file cannot be written.
        """
        path = Path(path)
        kinds = {".svg": self.svg, ".html": self._page}
        if path.suffix not in kinds:
            raise ValueError(f"{str(path)!r} ends in neither {' nor '.join(kinds)}.")
        write_atomic(path, kinds[path.suffix]().encode())
        return path

    def svg(self) -> str:
        """The chart as a picture that needs nothing else: title, legend, drawing; light colours."""
        figure = ElementTree.fromstring(self.figure)
        drawing = figure.find("svg[@class='wide']")
        assert drawing is not None, "every chart has a wide drawing"
        width, height = (float(size) for size in drawing.attrib["viewBox"].split()[2:])
        legend = _legend(figure)
        top = (_LEGEND_PX if legend else _LEAD_PX) + _MARGIN_PX
        drawing.attrib.update(x=f"{_MARGIN_PX:g}", y=f"{top:g}", width=f"{width:g}", height=f"{height:g}")
        parts = [
            tag("style", Html(_picture_style())),
            tag("rect", width="100%", height="100%", class_="paper"),
            tag("text", text(self.title), x=_MARGIN_PX, y=_TITLE_PX, class_="title"),
            tag("text", text(_lead(figure)), x=_MARGIN_PX, y=_LEAD_PX, class_="tick"),
            *legend,
            Html(ElementTree.tostring(drawing, encoding="unicode")),
        ]
        size = (width + 2 * _MARGIN_PX, top + height + _MARGIN_PX)
        return tag("svg", join(parts), xmlns=_SVG, width=size[0], height=size[1])

    def _page(self) -> str:
        scheme = '<meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        head = f"<head>{scheme}<title>{text(self.title)}</title></head>"
        return f'<!DOCTYPE html>\n<html lang="en">{head}<body>{embedded(self.figure)}</body></html>\n'


def _lead(figure: ElementTree.Element) -> str:
    return figure.findtext("figcaption/span") or ""


def _legend(figure: ElementTree.Element) -> list[Html]:
    """The names of the kinds in one row, each behind its mark."""
    drawn: list[Html] = []
    x = _MARGIN_PX + RADIUS_PX
    for names in figure.findall("ul[@class]"):
        marks = "marks" in names.get("class", "").split()
        for item in names.findall("li"):
            key = item.find("i")
            kinds = [] if key is None else key.get("class", "").split()
            if kinds[:1] != ["key"]:
                continue
            name = "".join(item.itertext())
            shape = int(kinds[-1][-1]) - 1 if marks else 0
            drawn.append(draw_shape(shape, x, _LEGEND_PX - 4, kind=f"dot {kinds[1]}"))
            drawn.append(tag("text", text(name), x=x + 12, y=_LEGEND_PX))
            x += 12 + _CHARACTER_PX * len(name) + 24
    return drawn


def _picture_style() -> str:
    """The drawings' own rules with the light colours written out: not every viewer knows CSS variables."""
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    colors = dict(re.findall(r"--([\w-]+): ([^;]+);", style[: style.index("}")]))
    rules = [line for line in style.splitlines() if line.startswith("svg ")]
    rules += [".paper { fill: var(--paper); }", "svg .title { font-size: 16px; font-weight: 640; }"]
    family = 'svg { font-family: system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }'
    return re.sub(r"var\(--([\w-]+)\)", lambda found: colors[found[1]], "\n".join([family, *rules]))
