"""What the parts of a cluster know each other by: certificates of an authority of its own, and static tokens."""

import datetime
import ipaddress
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_NAMES = (
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "localhost",
)
_FIRST_SERVICE = "10.96.0.1"
_USERS = (
    ("admin", "admin", "system:masters"),
    ("controller-manager", "system:kube-controller-manager", ""),
    ("scheduler", "system:kube-scheduler", ""),
    ("proxy", "system:kube-proxy", ""),
    ("node1", "system:node:node1", "system:nodes"),
    ("node2", "system:node:node2", "system:nodes"),
)


def make(folder: Path, address: str, port: int) -> None:
    """Into the folder: `ca.crt`, NAME.crt with NAME.key, `sa.key` with `sa.pub`, `tokens.csv`, NAME.kubeconfig."""
    folder.mkdir(parents=True, mode=0o700)
    authority = _Authority.made()
    _write(folder / "ca.crt", authority.certificate.public_bytes(Encoding.PEM))
    _write(folder / "ca.key", _pem(authority.key))
    addresses = {ipaddress.ip_address(one) for one in (_FIRST_SERVICE, "127.0.0.1", address)}
    server = [*map(x509.DNSName, _NAMES), *map(x509.IPAddress, sorted(addresses))]
    authority.sign(folder, "apiserver", "kube-apiserver", "", ExtendedKeyUsageOID.SERVER_AUTH, server)
    client = ExtendedKeyUsageOID.CLIENT_AUTH
    authority.sign(folder, "kubelet-client", "kube-apiserver-kubelet-client", "system:masters", client)
    authority.sign(folder, "front-proxy", "front-proxy-client", "", client)
    accounts = ec.generate_private_key(ec.SECP256R1())
    _write(folder / "sa.key", _pem(accounts))
    _write(folder / "sa.pub", accounts.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    tokens = []
    for file, user, groups in _USERS:
        token = secrets.token_hex(16)
        tokens.append(f'{token},{user},{user},"{groups}"\n')
        _write(folder / f"{file}.kubeconfig", _kubeconfig(folder, f"https://{address}:{port}", token))
    _write(folder / "tokens.csv", "".join(tokens).encode())


@dataclass(frozen=True)
class _Authority:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def made(cls) -> "_Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-ca")])
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        certificate = (
            _certificate(name, name, key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(key, certificate)

    def sign(
        self,
        folder: Path,
        file: str,
        name: str,
        group: str,
        use: x509.ObjectIdentifier,
        alternatives: Sequence[x509.GeneralName] = (),
    ) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group)] if group else []
        subject = x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = _certificate(subject, self.certificate.subject, key)
        builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        _write(folder / f"{file}.crt", builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM))
        _write(folder / f"{file}.key", _pem(key))


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=30))
    )


def _kubeconfig(folder: Path, server: str, token: str) -> bytes:
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": server, "certificate-authority": str(folder / "ca.crt")}}],
            "users": [{"name": "u", "user": {"token": token}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
    ).encode()


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    # As "EC PRIVATE KEY": Kubernetes reads this form everywhere.
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
