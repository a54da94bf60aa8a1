"""An environment for each peer, made from its section of a list and kept until that section changes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path

from coffey.core.files import write_atomic

_STAMP = "requirements.txt"
_SHOWN = 600
"""Characters of a failed installation that are repeated, from its end."""


class PeerFailed(Exception):
    """A peer could not be installed or run; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Another tool."""

    name: str
    """Of the script that uses it, too."""
    requirements: tuple[str, ...]


def read_peers(path: Path) -> tuple[Peer, ...]:
    """Every section of the file is a peer, every line of it a requirement."""
    listed = ConfigParser(allow_no_value=True, delimiters=("\0",), interpolation=None)
    listed.read_string(path.read_text(encoding="utf-8"))
    return tuple(Peer(name=name, requirements=tuple(listed[name])) for name in listed.sections())


def default_cache() -> Path:
    """Where environments are kept when nothing else is said."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "coffey" / "peers"


def environment(peer: Peer, cache: Path) -> Path:
    """The peer's Python, installed when it is not there or was made from other requirements.

    Raises:
        PeerFailed: pip could not install it.
    """
    folder = cache / peer.name
    python, stamp = folder / "bin" / "python", folder / _STAMP
    wanted = "\n".join(peer.requirements) + "\n"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        venv.create(folder, with_pip=True, clear=True)
        _call([str(python), "-m", "pip", "install", "--quiet", *peer.requirements], seconds=1800)
        write_atomic(stamp, wanted.encode())
    return python


def run(python: Path, script: Path, folder: Path, *, seconds: float) -> None:
    """Let a peer's Python run its script on a task's folder, for so many seconds at most.

    Raises:
        PeerFailed: it ended with an error, or took longer.
    """
    _call([str(python), str(script), str(folder)], seconds=seconds)


def _call(command: list[str], *, seconds: float) -> None:
    with tempfile.TemporaryFile() as said:
        try:
            done = subprocess.run(
                command, stdout=said, stderr=said, timeout=seconds, check=False, env=_bare_environment()
            )
        except subprocess.TimeoutExpired as exc:
            raise PeerFailed(f"it took longer than {seconds:.0f} s") from exc
        said.seek(0)
        words = said.read().decode(errors="replace")
    print(words, file=sys.stderr)
    if done.returncode:
        raise PeerFailed(f"exit code {done.returncode}: {words[-_SHOWN:].strip()}")


def _bare_environment() -> dict[str, str]:
    """This one's without its Python: a peer sees what it installed, and no model hub."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))
    }
    return kept | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
