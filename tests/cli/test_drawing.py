"""Tables are never markup."""

from __future__ import annotations

import io

from rich.console import Console

from coffey.cli.drawing import facts, figure_table


def test_tables_show_brackets_as_they_are_and_figures_to_the_right() -> None:
    """A label such as `[b]` is no style, and a column of figures ends in one line."""
    file = io.StringIO()
    target = Console(file=file, width=200, highlight=False)
    target.print(figure_table(("model", "p50"), [("[b]x", "1.31 ms"), ("y", "12.3 ms")], title="[i]t"))
    target.print(facts([("[k]", "v")]))
    lines = file.getvalue().splitlines()
    assert "[i]t" in lines[0]
    rows = [line.rstrip() for line in lines if "ms" in line]
    assert rows[0].startswith("[b]x")
    assert len(rows[0]) == len(rows[1])
    assert any("[k]" in line for line in lines)
