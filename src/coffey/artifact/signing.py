"""ECDSA P-256 signatures: who made an artifact. Keys live outside every store."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from coffey.core.errors import ArtifactError, BadSignature, StoreUnavailable
from coffey.core.files import write_atomic
from coffey.core.ids import digest_bytes, fresh_id

PRIVATE_KEY = "signing-key.pem"
PUBLIC_KEY = "signing-key.pub.pem"
TRUSTED = "trusted"
_ECDSA = ec.ECDSA(hashes.SHA256())


def default_key_folder(environment: Mapping[str, str] | None = None) -> Path:
    """`$COFFEY_HOME`, or `~/.config/coffey`. For the edge only: everything below takes the folder."""
    home = (os.environ if environment is None else environment).get("COFFEY_HOME")
    return Path(home) if home else Path.home() / ".config" / "coffey"


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs with the key of one key folder."""

    key: ec.EllipticCurvePrivateKey

    @classmethod
    def open(cls, folder: Path) -> Signer:
        """Read the private key of `folder`; the first call makes it (mode 0600) and its public half.

        Processes that start at once end with one key: whoever links it first wins, the others read it.

        Raises:
            ArtifactError: the key file is readable by others, or no P-256 key.
            StoreUnavailable: the folder cannot be read or written.
        """
        path = folder / PRIVATE_KEY
        try:
            if not path.exists():
                _create_key(path)
            signer = cls(_read_private(path))
        except OSError as exc:
            raise StoreUnavailable(str(path), exc.strerror or str(exc)) from exc
        if not (folder / PUBLIC_KEY).exists():
            write_atomic(folder / PUBLIC_KEY, signer.public_pem())
        return signer

    def sign(self, message: bytes) -> bytes:
        """A signature (DER) over `message`. Two signatures of the same bytes differ."""
        return self.key.sign(message, _ECDSA)

    def public_pem(self) -> bytes:
        """The public half, as others keep it in their `trusted` folder."""
        return self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


@dataclass(frozen=True, slots=True)
class Trust:
    """The public keys whose artifacts are loaded."""

    keys: frozenset[bytes]
    """DER of each key's SubjectPublicKeyInfo."""

    @classmethod
    def of(cls, folder: Path | None = None, files: Sequence[Path] = ()) -> Trust:
        """The key folder's own key, every `trusted/*.pem` in it, and the given files.

        Raises:
            ArtifactError: a file holds no P-256 public key.
            StoreUnavailable: a file cannot be read.
        """
        paths = list(files)
        if folder is not None:
            paths += [folder / PUBLIC_KEY] if (folder / PUBLIC_KEY).exists() else []
            paths += sorted((folder / TRUSTED).glob("*.pem"))
        return cls(frozenset(_der(_read_public(path)) for path in paths))

    @classmethod
    def of_signer(cls, signer: Signer) -> Trust:
        """Trust in one signer alone, to check what it just signed."""
        return cls(frozenset((_der(signer.key.public_key()),)))

    def verify(self, path: str, message: bytes, signature: bytes, public_pem: bytes) -> None:
        """Check that `signature` over `message` was made by a trusted key; `path` names it in errors.

        Raises:
            BadSignature: an unknown key, or a signature that is not this key's over these bytes.
        """
        try:
            key = _p256(serialization.load_pem_public_key(public_pem))
        except (ValueError, UnsupportedAlgorithm) as exc:
            raise BadSignature(path, "its signature names no P-256 public key") from exc
        if _der(key) not in self.keys:
            raise BadSignature(
                path,
                f"it was signed by the unknown key {fingerprint(key)}. If you trust its maker, put their "
                f"public key into the folder {TRUSTED!r} of your key folder",
            )
        try:
            key.verify(signature, message, _ECDSA)
        except InvalidSignature as exc:
            raise BadSignature(
                path, "the signature does not fit the bytes: the manifest was changed"
            ) from exc


def fingerprint(key: ec.EllipticCurvePublicKey) -> str:
    """The first 16 hex characters of the SHA-256 of a public key, for people to compare."""
    return digest_bytes(_der(key))[:16]


def _create_key(path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    data = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = path.with_name(f".{path.name}.{fresh_id()}.tmp")
    try:
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(aside, path)
    except FileExistsError:
        pass  # another process made the first key in the meantime: theirs is the one
    finally:
        aside.unlink(missing_ok=True)


def _read_private(path: Path) -> ec.EllipticCurvePrivateKey:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ArtifactError(f"Signing key {str(path)!r} can be read by others. Run: chmod 600 {path}")
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise ArtifactError(f"{str(path)!r} holds no private key: {exc}") from exc
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ArtifactError(f"{str(path)!r} holds another kind of key; expected ECDSA P-256")
    return key


def _read_public(path: Path) -> ec.EllipticCurvePublicKey:
    try:
        return _p256(serialization.load_pem_public_key(path.read_bytes()))
    except OSError as exc:
        raise StoreUnavailable(str(path), exc.strerror or str(exc)) from exc
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise ArtifactError(f"{str(path)!r} holds no ECDSA P-256 public key: {exc}") from exc


def _p256(key: object) -> ec.EllipticCurvePublicKey:
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("another kind of key")
    return key


def _der(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
