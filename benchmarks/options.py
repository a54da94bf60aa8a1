"""Options that every benchmark has, and the form of its targets."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def make_parser(description: str | None) -> argparse.ArgumentParser:
    """A parser with `--quick` and `--json`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="a true subset, within 5 minutes on two cores")
    parser.add_argument(
        "--json", action="store_true", help="accepted for symmetry: JSON is all that is printed"
    )
    return parser


def at_most(value: float, bound: float) -> dict[str, object]:
    """A target that is met where the value is not over the bound."""
    return {"value": value, "bound": bound, "met": bool(value <= bound)}


def is_missing(data: Path) -> bool:
    """Whether the data is not here, which is then said."""
    if data.exists():
        return False
    print(f"Skipped: {data} is not here. Name it with --data.", file=sys.stderr)
    return True
