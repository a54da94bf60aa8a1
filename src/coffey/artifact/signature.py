"""`signature.json`: the signature over a manifest and the public key that made it."""

from __future__ import annotations

import msgspec

from coffey.artifact.signing import Signer, Trust
from coffey.core.errors import BadSignature, UnknownFormat
from coffey.core.ids import canonical_json

FORMAT = 1
ALGORITHM = "ecdsa-p256-sha256"


class _Signature(msgspec.Struct, forbid_unknown_fields=True):
    format: int
    algorithm: str
    public_key: str
    signature: bytes  # base64 in JSON


def make_signature(manifest: bytes, signer: Signer) -> bytes:
    """The bytes of `signature.json` for the bytes of a manifest."""
    record = _Signature(FORMAT, ALGORITHM, signer.public_pem().decode(), signer.sign(manifest))
    return canonical_json(msgspec.to_builtins(record))


def check_signature(path: str, manifest: bytes, signature: bytes, trust: Trust) -> None:
    """Check the bytes of `signature.json` against the bytes of a manifest; `path` names the artifact.

    Raises:
        BadSignature: no signature, an unknown key, or changed bytes.
        UnknownFormat: a signature of a newer version.
    """
    try:
        record = msgspec.json.decode(signature, type=_Signature)
    except msgspec.MsgspecError as exc:
        raise BadSignature(path, f"its signature cannot be read: {exc}") from exc
    if record.format != FORMAT or record.algorithm != ALGORITHM:
        raise UnknownFormat(path, f"{record.format} ({record.algorithm})", (FORMAT,))
    trust.verify(path, manifest, record.signature, record.public_key.encode())
