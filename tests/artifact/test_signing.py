"""Keys are made once, kept private, and nobody else's signature passes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from coffey.artifact.signing import PRIVATE_KEY, PUBLIC_KEY, Signer, Trust, default_key_folder
from coffey.core.errors import ArtifactError, BadSignature, StoreUnavailable

MESSAGE = b"what was signed"


def test_the_first_use_makes_a_key_that_only_the_owner_reads(keys: Path):
    """The private key is 0600 from its first moment; the second use finds it."""
    first = Signer.open(keys)
    assert (keys / PRIVATE_KEY).stat().st_mode & 0o777 == 0o600
    assert Signer.open(keys).public_pem() == first.public_pem()
    assert sorted(path.name for path in keys.iterdir()) == [PRIVATE_KEY, PUBLIC_KEY]


def test_processes_that_start_at_once_end_with_one_key(keys: Path):
    """Eight first users, one key: all print the same public half."""
    code = (
        "import sys; from pathlib import Path; from coffey.artifact.signing import Signer\n"
        "sys.stdin.readline(); print(Signer.open(Path(sys.argv[1])).public_pem().decode())"
    )
    pipe = subprocess.PIPE
    crowd = [
        subprocess.Popen([sys.executable, "-c", code, str(keys)], stdin=pipe, stdout=pipe, text=True)
        for _ in range(8)
    ]
    for process in crowd:
        process.stdin.write("go\n")
        process.stdin.flush()
    found = {process.communicate(timeout=60)[0] for process in crowd}
    assert len(found) == 1
    assert "PUBLIC KEY" in found.pop()
    assert sorted(path.name for path in keys.iterdir()) == [PRIVATE_KEY, PUBLIC_KEY]


def test_the_loser_of_the_race_uses_the_winners_key(keys: Path, monkeypatch):
    """A key that appears between the look and the making is kept."""
    winner = Signer.open(keys)
    real = Path.exists
    monkeypatch.setattr(Path, "exists", lambda path: path.name != PRIVATE_KEY and real(path))
    assert Signer.open(keys).public_pem() == winner.public_pem()


def test_a_key_that_others_can_read_is_refused(keys: Path):
    """As ssh does: a leaked key is not used in silence."""
    Signer.open(keys)
    (keys / PRIVATE_KEY).chmod(0o644)
    with pytest.raises(ArtifactError, match="chmod 600"):
        Signer.open(keys)


def test_own_and_trusted_and_given_keys_pass_and_others_do_not(tmp_path: Path):
    """Trust is the key folder's own key, its trusted folder and explicit files, and nothing else."""
    own, friend, guest, stranger = (Signer.open(tmp_path / name) for name in ("own", "friend", "guest", "no"))
    (tmp_path / "own" / "trusted").mkdir()
    (tmp_path / "own" / "trusted" / "friend.pem").write_bytes(friend.public_pem())
    trust = Trust.of(tmp_path / "own", [tmp_path / "guest" / PUBLIC_KEY])
    for signer in (own, friend, guest):
        trust.verify("a", MESSAGE, signer.sign(MESSAGE), signer.public_pem())
    with pytest.raises(BadSignature, match="unknown key"):
        trust.verify("a", MESSAGE, stranger.sign(MESSAGE), stranger.public_pem())


def test_a_trusted_name_on_a_strangers_signature_does_not_pass(tmp_path: Path):
    """The signature has to be made with the key that it names."""
    own, stranger = Signer.open(tmp_path / "own"), Signer.open(tmp_path / "stranger")
    with pytest.raises(BadSignature, match="does not fit"):
        Trust.of(tmp_path / "own").verify("a", MESSAGE, stranger.sign(MESSAGE), own.public_pem())
    with pytest.raises(BadSignature, match="does not fit"):
        Trust.of(tmp_path / "own").verify("a", MESSAGE, b"rubbish", own.public_pem())


def test_trust_in_one_signer_is_in_that_signer_alone(tmp_path: Path):
    """What checks a fresh artifact does not read any folder."""
    own, stranger = Signer.open(tmp_path / "own"), Signer.open(tmp_path / "stranger")
    trust = Trust.of_signer(own)
    trust.verify("a", MESSAGE, own.sign(MESSAGE), own.public_pem())
    with pytest.raises(BadSignature, match="unknown key"):
        trust.verify("a", MESSAGE, stranger.sign(MESSAGE), stranger.public_pem())


def test_nobody_is_trusted_by_default(tmp_path: Path):
    """An empty key folder trusts nobody."""
    assert Trust.of(tmp_path).keys == frozenset()
    assert Trust.of().keys == frozenset()


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate()]
)
def test_other_kinds_of_key_are_refused(tmp_path: Path, signer: Signer, trust: Trust, key):
    """Only ECDSA P-256 signs, is trusted, or is read from a signature."""
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path / "other" / PRIVATE_KEY
    path.parent.mkdir()
    path.write_bytes(private)
    path.chmod(0o600)
    (tmp_path / "other.pem").write_bytes(public)
    with pytest.raises(ArtifactError, match="P-256"):
        Signer.open(tmp_path / "other")
    with pytest.raises(ArtifactError, match="P-256"):
        Trust.of(None, [tmp_path / "other.pem"])
    with pytest.raises(BadSignature, match="P-256"):
        trust.verify("a", MESSAGE, signer.sign(MESSAGE), public)


def test_a_damaged_private_key_is_named(keys: Path):
    """The file is in the message."""
    keys.mkdir()
    (keys / PRIVATE_KEY).write_text("nothing")
    (keys / PRIVATE_KEY).chmod(0o600)
    with pytest.raises(ArtifactError, match=PRIVATE_KEY):
        Signer.open(keys)


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path):
    """A file where the folder should be, and a key file that is not there."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match=PRIVATE_KEY):
        Signer.open(tmp_path / "file")
    with pytest.raises(StoreUnavailable, match="absent.pem"):
        Trust.of(None, [tmp_path / "absent.pem"])


def test_the_key_folder_follows_the_environment(monkeypatch):
    """`COFFEY_HOME` wins; otherwise the user's configuration folder."""
    assert default_key_folder({"COFFEY_HOME": "/somewhere"}) == Path("/somewhere")
    assert default_key_folder({}) == Path.home() / ".config" / "coffey"
    monkeypatch.setenv("COFFEY_HOME", "/elsewhere")
    assert default_key_folder() == Path("/elsewhere")
