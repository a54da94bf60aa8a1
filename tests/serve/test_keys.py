from __future__ import annotations

import hashlib

import pytest

from coffey.core.errors import ConfigError
from coffey.serve.keys import ENVIRONMENT, ApiKeys

ONE, TWO = (hashlib.sha256(key).hexdigest() for key in (b"one", b"two"))


def test_without_keys_everybody_may_ask() -> None:
    """No file, nothing in the environment."""
    keys = ApiKeys.read(None, {})
    assert not keys.required
    assert keys.allow(None)
    assert keys.allow(b"anything")


def test_keys_come_from_the_file_and_the_environment(tmp_path) -> None:
    """Names and comments may follow a digest; an empty key is none."""
    file = tmp_path / "keys"
    file.write_text(f"# of the shop\n\n{ONE}  web   # since May\n")
    keys = ApiKeys.read(file, {ENVIRONMENT: f" {TWO.upper()} ,"})
    assert keys.required
    assert [keys.allow(key) for key in (b"one", b"two", b"three", b"", None)] == [
        True,
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize("text", ["", "# nothing\n", "one\n", f"{ONE[:-1]}\n", f"{ONE}\nsecret-key\n"])
def test_a_file_that_protects_nothing_is_refused(tmp_path, text) -> None:
    """Empty, a key where its digest belongs, a digest cut short; what was found is not shown."""
    file = tmp_path / "keys"
    file.write_text(text)
    with pytest.raises(ConfigError) as refused:
        ApiKeys.read(file, {})
    assert "secret-key" not in str(refused.value)
    with pytest.raises(ConfigError, match="can be read"):
        ApiKeys.read(tmp_path / "absent", {})
