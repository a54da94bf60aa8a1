"""Where the paths of a configuration lead."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from coffey.core.settings import Settings


def resolve_paths(settings: Settings, base: Path) -> Settings:
    """The settings with every relative path made absolute, from `base`; URLs and hub ids stay."""
    teacher = settings.teacher
    source = teacher.source
    if teacher.kind == "transformers" and _is_local(source, base):
        source = absolute(source, base)
    head = None if teacher.head is None else absolute(teacher.head, base)
    return replace(
        settings,
        project=replace(settings.project, store=absolute(settings.project.store, base)),
        teacher=replace(teacher, source=source, head=head),
        data=replace(
            settings.data,
            transfer=_all_absolute(settings.data.transfer, base),
            holdout=_all_absolute(settings.data.holdout, base),
        ),
    )


def _is_local(source: str, base: Path) -> bool:
    """Whether a model's source is a folder: it exists, or is written as only a path can be."""
    return source.startswith(("/", "./", "../", "~")) or (base / source).exists()


def _all_absolute(urls: tuple[str, ...] | str, base: Path) -> tuple[str, ...]:
    return tuple(absolute(url, base) for url in ((urls,) if isinstance(urls, str) else urls))


def absolute(url: str, base: Path) -> str:
    """`url` itself when it has a protocol; otherwise the absolute path, with `~` and `..` resolved."""
    if "://" in url:
        return url
    try:
        path = Path(url).expanduser()
    except RuntimeError:  # `~name` of a user that this machine does not know: a name like any other
        path = Path(url)
    return str(path if path.is_absolute() else Path(f"{base}/{path}").resolve())
