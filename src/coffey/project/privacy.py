"""What the project keeps of served texts."""

from __future__ import annotations

import os
from pathlib import Path

from coffey.core.settings import Settings
from coffey.traffic.redaction import Redactor, redactor

KEY_VARIABLE = "COFFEY_PRIVACY_KEY"
"""Environment variable with the key of `privacy.text = "hash"`; the same for all servers and ticks."""


def build_redactor(settings: Settings, folder: Path) -> Redactor:
    """The redactor that `[privacy]` asks for; `folder` is the one of `coffey.toml`.

    Raises:
        ConfigError: it names no rule, or a function that cannot be imported.
    """
    return redactor(settings.privacy.text, folder=folder, key=os.environ.get(KEY_VARIABLE, "").encode())
