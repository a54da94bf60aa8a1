"""Who may ask: API keys, of which only SHA-256 digests are known here.

A key is a long random string, so that its plain digest gives nothing away. A key is compared with every
digest, in constant time.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from pathlib import Path

from coffey.core.errors import ConfigError, Problem, ServeError

ENVIRONMENT = "COFFEY_API_KEYS"
"""Digests split by commas."""
HEADER, BEARER = b"x-api-key", b"bearer "
_HEX_DIGITS = 64


class Unauthorized(ServeError):
    """A request without a key that is known."""

    def __init__(self) -> None:
        super().__init__(
            "This server asks for an API key: send 'Authorization: Bearer KEY' or 'X-API-Key: KEY'."
        )


class ApiKeys:
    """Knows which keys may ask; without any, everybody may.

    >>> keys = ApiKeys([hashlib.sha256(b"secret").hexdigest()])
    >>> keys.allow(b"secret"), keys.allow(b"guess"), keys.allow(None)
    (True, False, False)
    """

    def __init__(self, digests: Iterable[str] = ()) -> None:
        """Take hexadecimal SHA-256 digests.

        Raises:
            ConfigError: one of them is no such digest; it is not shown, since it may be a key.
        """
        self._digests: list[bytes] = []
        for number, digest in enumerate(digests, start=1):
            try:
                self._digests.append(bytes.fromhex(digest))
            except ValueError:
                self._digests.append(b"")
            if len(digest) != _HEX_DIGITS or not self._digests[-1]:
                expected = f"{_HEX_DIGITS} hex digits, the SHA-256 of a key (printf %s KEY | sha256sum)"
                raise ConfigError("API keys", [Problem(f"entry {number}", "(not shown)", expected)])
        self.required = bool(self._digests)
        """Whether a key is asked for."""

    @classmethod
    def read(cls, file: Path | None, environment: Mapping[str, str]) -> ApiKeys:
        """The digests in `file` (the first word of each line; `#` begins a comment) and in the environment.

        Raises:
            ConfigError: the file cannot be read, or an entry is no digest.
        """
        digests = [entry.strip() for entry in environment.get(ENVIRONMENT, "").split(",") if entry.strip()]
        try:
            lines = file.read_text(encoding="utf-8").splitlines() if file else []
        except (OSError, UnicodeDecodeError) as exc:
            problem = Problem("--api-keys", str(file), f"a file that can be read ({exc})")
            raise ConfigError("API keys", [problem]) from exc
        words = [line.partition("#")[0].split() for line in lines]
        found = cls([*digests, *(first for first, *_ in filter(None, words))])
        if file and not found.required:
            expected = "a file with at least one digest; without the key everybody may ask"
            raise ConfigError("API keys", [Problem("--api-keys", str(file), expected)])
        return found

    def allow(self, key: bytes | None) -> bool:
        """Whether whoever sent `key` may ask."""
        if not self.required:
            return True
        digest = hashlib.sha256(key or b"").digest()
        matches = [hmac.compare_digest(digest, known) for known in self._digests]
        return key is not None and any(matches)


def key_in(name: bytes, value: bytes) -> bytes | None:
    """The key that a header (`x-api-key` or `authorization`) carries."""
    if name == HEADER:
        return value
    return value[len(BEARER) :].strip() if value[: len(BEARER)].lower() == BEARER else None
