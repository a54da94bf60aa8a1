"""The terminal names the student, the others, and why not them, within 80 columns."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from coffey.cli.plan_frontier import draw


def printed(frontier: dict[str, Any]) -> str:
    console = Console(width=80, record=True, file=None, force_terminal=False)
    with console.capture() as captured:
        console.print(draw(frontier))
    return captured.get()


def candidate(name: str, quality: float | None, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "p99_ms": {"value": 12.5, "low": 11.0, "high": 14.0},
        "quality": quality and {"measure": "retention", "value": quality, "low": quality, "high": quality},
        "usd_per_1k": 0.00033,
        "net_usd_over_horizon": 1_409_342.0,
        "horizon_days": 365.0,
        "standing": "may",
        "reason": f"Why {name} is not it.",
        **more,
    }


def test_it_fits_80_columns_and_tells_verdict_rows_and_reasons() -> None:
    """Nothing is cut or folded; the recommended one's figures are in the verdict."""
    found = printed(
        {
            "verdict": "2M is recommended.",
            "candidates": [
                candidate("layers=3,width=192,heads=6", 0.99),
                candidate("2M", 0.98, recommended=True, standing="keeps"),
                candidate("700K", None, standing="unknown"),
            ],
        }
    )
    lines = found.splitlines()
    assert lines[0].strip() == "2M is recommended."
    assert max(map(len, lines)) <= 80
    assert "…" not in found
    rows = [line.split() for line in lines if "12.5" in line]
    assert [row[0] for row in rows] == ["3", "2M", "700K"]
    assert "0.980" in rows[1]
    assert "–" in rows[2]
    assert "$1,409,342" in rows[2]
    assert "Why layers=3,width=192,heads=6 is not it." in found
    assert "Why 2M is not it." not in found


def test_without_candidates_nothing_is_said() -> None:
    """An old plan has no frontier."""
    assert printed({}).strip() == ""
