"""What the log keeps of a text: all of it, a keyed digest, nothing, or what the user's function makes of it.

A redacted text says so itself, wherever it is kept: `[hash:…]` or `[dropped]`. A request chosen for audit
keeps its text until the teacher was asked, because nobody can be asked about a digest.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from coffey.core.errors import ConfigError, Problem
from coffey.core.records import TrafficRecord

KEEP, HASH, DROP = "keep", "hash", "drop"
DROPPED = "[dropped]"
HASHED = "[hash:"
"""How a digest begins."""

Rule = Callable[[str], object]
"""From a text to what is kept of it; a user's may fail, or answer with something else than a text."""


class Redactor:
    """Redacts texts by one rule. Redacting what is redacted changes nothing."""

    def __init__(self, rule: Rule | None) -> None:
        """Use `rule`; None keeps everything."""
        self._rule = rule
        self.failures = 0
        """Texts that the rule failed on. They are dropped: nothing leaves unredacted."""

    @property
    def keeps(self) -> bool:
        """Whether texts stay as they are."""
        return self._rule is None

    def text(self, text: str) -> str:
        """What is kept of `text`. Never raises.

        A rule that fails, answers with no text, or would change its own answer, is not believed.
        """
        if self._rule is None or is_redacted(text):
            return text
        try:
            said = self._rule(text)
            if isinstance(said, str) and (is_redacted(said) or self._rule(said) == said):
                return said
        except Exception:  # noqa: BLE001, S110 - the edge to a user's function: counted below
            pass
        self.failures += 1
        return DROPPED

    def record(self, record: TrafficRecord) -> TrafficRecord:
        """What is logged of a served request."""
        if self._rule is None or record.audit:
            return record
        return replace(record, text=self.text(record.text))


def is_redacted(text: str) -> bool:
    """Whether nothing can be learned from a text, because it was hashed or dropped."""
    return text == DROPPED or text.startswith(HASHED)


def redactor(asked: str, *, folder: Path, key: bytes = b"") -> Redactor:
    """The redactor that `privacy.text` names.

    Args:
        asked: `keep`, `hash`, `drop` or `package.module:function`, a function from a text to a text that
            leaves its own answers as they are.
        folder: where the function is imported from; it stays on the import path.
        key: of the digests. Without one, whoever guesses a text can confirm it.

    Raises:
        ConfigError: it is none of these, or the function cannot be imported.
    """
    if asked == KEEP:
        return Redactor(None)
    if asked == HASH:
        return Redactor(lambda text: hashed(text, key))
    if asked == DROP:
        return Redactor(lambda text: DROPPED)
    return Redactor(_function(asked, folder))


def hashed(text: str, key: bytes) -> str:
    """A digest of 128 bits: equal texts have equal ones.

    >>> hashed("a", b"") == hashed("a", b""), hashed("a", b"") == hashed("a", b"secret")
    (True, False)
    """
    digest = hashlib.blake2b(text.encode(), digest_size=16, key=key[:64], person=b"coffey.redact.v1")
    return f"{HASHED}{digest.hexdigest()}]"


def _function(source: str, folder: Path) -> Rule:
    expected = "'keep', 'hash', 'drop', or a function from text to text as 'package.module:function'"
    module, _, name = source.partition(":")
    if not module or not name:
        raise ConfigError("coffey.toml", [Problem("privacy.text", source, expected)])
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    try:
        found = getattr(importlib.import_module(module), name)
    except Exception as exc:
        why = f"{expected}; importing it said {type(exc).__name__}: {exc}"
        raise ConfigError("coffey.toml", [Problem("privacy.text", source, why)]) from exc
    if not callable(found):
        raise ConfigError("coffey.toml", [Problem("privacy.text", source, expected)])
    rule: Rule = found
    return rule
