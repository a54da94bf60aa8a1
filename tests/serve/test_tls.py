from __future__ import annotations

import datetime
import http.client
import json
import signal
import ssl
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from coffey.core.clock import unix_now
from coffey.core.errors import ConfigError
from coffey.serve.tls import Tls


def write_pair(folder: Path, *, password: bytes | None = None) -> tuple[Path, Path]:
    """A self-signed certificate of 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.fromtimestamp(unix_now(), datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    closed = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    folder.mkdir(exist_ok=True)
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(pem))
    paths[1].write_bytes(key.private_bytes(pem, pkcs8, closed))
    return paths


def post(port: int, certificate: Path, body: bytes) -> http.client.HTTPResponse:
    """One request by a client that trusts `certificate` alone; the response has been read."""
    context = ssl.create_default_context(cafile=str(certificate))
    connection = http.client.HTTPSConnection("localhost", port, timeout=20, context=context)
    connection.request("POST", "/v1/predict", body)
    response = connection.getresponse()
    response.body = response.read()
    connection.close()
    return response


@pytest.mark.slow
def test_requests_are_answered_over_tls_and_a_renewed_certificate_is_taken_up(serve, tmp_path: Path) -> None:
    """SIGHUP reads it anew; one that is no pair is refused, and the one before goes on."""
    certificate, key = write_pair(tmp_path / "tls")
    running = serve(tls=[str(certificate), str(key)], settings={"max_body_bytes": 1000})
    answered = post(running.port, certificate, b'{"input": "i want my money back"}')
    assert answered.status == 200
    assert json.loads(answered.body)["predictions"]
    assert post(running.port, certificate, b"x" * 200_000).status == 413
    first = ssl.get_server_certificate(("127.0.0.1", running.port))
    write_pair(tmp_path / "tls")
    renewed = certificate.read_text()
    running.process.send_signal(signal.SIGHUP)
    assert _becomes(running.port, renewed)
    assert first.strip() != renewed.strip()
    certificate.write_text("no certificate")
    running.process.send_signal(signal.SIGHUP)
    for _ in range(200):
        if any(event["event"] == "certificate_refused" for event in running.events()):
            break
        threading.Event().wait(0.02)
    else:
        raise AssertionError(running.events())
    assert _becomes(running.port, renewed)
    assert running.stop() == 0


def _becomes(port: int, certificate: str) -> bool:
    for _ in range(200):
        if ssl.get_server_certificate(("127.0.0.1", port)).strip() == certificate.strip():
            return True
        threading.Event().wait(0.02)
    return False


def test_grpc_is_encrypted_with_the_same_certificate(serve, tmp_path: Path) -> None:
    """A client that trusts it is answered; one that does not encrypt is not."""
    grpc = pytest.importorskip("grpc")
    certificate, key = write_pair(tmp_path / "tls")
    running = serve(tls=[str(certificate), str(key)], settings={"grpc_port": 0})
    port = next(event["grpc_port"] for event in running.events() if event["event"] == "ready")
    credentials = grpc.ssl_channel_credentials(certificate.read_bytes())
    live = "/inference.GRPCInferenceService/ServerLive"
    with grpc.secure_channel(f"localhost:{port}", credentials) as channel:
        assert channel.unary_unary(live)(b"", timeout=20) == b"\x08\x01"  # live: true
    with grpc.insecure_channel(f"localhost:{port}") as channel, pytest.raises(grpc.RpcError):
        channel.unary_unary(live)(b"", timeout=20)


def test_without_either_there_is_no_tls() -> None:
    assert Tls.of(None, None, Path()) is None


def test_relative_paths_begin_in_the_folder(tmp_path: Path) -> None:
    write_pair(tmp_path)
    found = Tls.of("certificate.pem", "key.pem", tmp_path)
    assert found == Tls(certificate=tmp_path / "certificate.pem", key=tmp_path / "key.pem")


def test_one_without_the_other_is_refused(tmp_path: Path) -> None:
    certificate, key = write_pair(tmp_path)
    with pytest.raises(ConfigError, match="tls_key"):
        Tls.of(certificate, None, tmp_path)
    with pytest.raises(ConfigError, match="tls_certificate"):
        Tls.of(None, key, tmp_path)


def test_what_is_no_pair_is_refused_with_its_reason(tmp_path: Path) -> None:
    """Absent, swapped, of another key, or with a password, which nobody is there to type."""
    certificate, key = write_pair(tmp_path / "one")
    _, other = write_pair(tmp_path / "two")
    _, closed = write_pair(tmp_path / "three", password=b"secret")
    for pair in ((certificate, tmp_path / "absent"), (key, certificate), (certificate, other)):
        with pytest.raises(ConfigError, match="private key without a password"):
            Tls.of(*pair, tmp_path)
    with pytest.raises(ConfigError, match="private key without a password"):
        Tls.of(tmp_path / "three" / "certificate.pem", closed, tmp_path)
