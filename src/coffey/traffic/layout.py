"""Where traffic lies under a store's root (a local folder)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, unquote

HOUR = "%Y%m%d%H"
HOUR_S = 3600


def segments_folder(root: Path) -> Path:
    """Where servers append segments."""
    return root / "traffic" / "segments"


def parquet_folder(root: Path) -> Path:
    """Where `tick` keeps what it compacted."""
    return root / "traffic" / "parquet"


def partition(root: Path, model: str, unix_s: float) -> Path:
    """The folder of the records that `model` answered in the UTC hour of `unix_s`."""
    hour = datetime.fromtimestamp(unix_s, UTC).strftime(HOUR)
    return parquet_folder(root) / f"model={quote(model, safe='')}" / f"hour={hour}"


def partition_model(folder: Path) -> str:
    """The model of a folder that `partition` named."""
    return unquote(folder.parent.name.removeprefix("model="))


def partition_end(folder: Path) -> float:
    """The moment (seconds since 1970) before which every record of a partition was answered."""
    hour = datetime.strptime(folder.name.removeprefix("hour="), HOUR).replace(tzinfo=UTC)
    return hour.timestamp() + HOUR_S
