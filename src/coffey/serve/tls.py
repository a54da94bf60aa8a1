"""TLS of the server: a certificate with its key, read anew when it was renewed."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from coffey.core.errors import ConfigError, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Where the certificate is."""

    certificate: Path
    """PEM: the server's certificate, then those between it and the root."""
    key: Path
    """PEM: its private key, without a password."""

    @classmethod
    def of(cls, certificate: str | Path | None, key: str | Path | None, folder: Path) -> Tls | None:
        """The pair of two settings, from `folder` where they are relative; None when neither is set.

        Raises:
            ConfigError: one is set without the other, or they cannot be used.
        """
        if certificate is None and key is None:
            return None
        if certificate is None or key is None:
            missing, other = ("tls_certificate", "tls_key") if key else ("tls_key", "tls_certificate")
            raise ConfigError("serve", [Problem(f"serve.{missing}", None, f"a file, beside serve.{other}")])
        pair = cls(certificate=folder / certificate, key=folder / key)
        pair.load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        return pair

    def load(self, context: ssl.SSLContext) -> None:
        """Read the pair into `context`: connections that begin from now on use it.

        Raises:
            ConfigError: a file cannot be read, or they are no pair.
        """
        try:
            context.load_cert_chain(self.certificate, self.key, password=_no_password)
        except (OSError, ValueError) as exc:  # ssl.SSLError is an OSError
            shown = f"{self.certificate}, {self.key}"
            expected = f"a PEM certificate and its private key without a password ({exc})"
            raise ConfigError("serve", [Problem("serve.tls_certificate", shown, expected)]) from exc


def _no_password() -> str:
    """Called for an encrypted key only; OpenSSL would ask the terminal otherwise."""
    raise ValueError("the key has a password")
