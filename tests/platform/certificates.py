"""Certificates of a test's own authority, as PEM files: for brokers, registries, ERPs and their clients on this machine."""

import datetime as dt
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_PEM = serialization.Encoding.PEM


class Authority:
    """An authority with its files below `folder`: `ca` is its certificate."""

    def __init__(self, folder: Path, name: str = "test-ca") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._name, self._key = folder, _named(name), ec.generate_private_key(ec.SECP256R1())
        builder = _builder(self._name, self._name, self._key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self._certificate = builder.sign(self._key, hashes.SHA256())
        self.ca = folder / "ca.crt"
        self.ca.write_bytes(self._certificate.public_bytes(_PEM))

    def issue(self, name: str, password: str = "") -> tuple[Path, Path]:
        """Certificate and key (PKCS 8) of `name`, for a server on this machine and for a client; with `password` the key is
        encrypted."""
        key = ec.generate_private_key(ec.SECP256R1())
        here = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        uses = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
        builder = _builder(_named(name), self._name, key.public_key())
        builder = builder.add_extension(here, critical=False).add_extension(uses, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        cipher = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
        certificate_file, key_file = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        certificate_file.write_bytes(certificate.public_bytes(_PEM))
        key_file.write_bytes(key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, cipher))
        return certificate_file, key_file

    def store(self, name: str) -> Path:
        """Key, certificate and authority in one file, as Kafka takes it for a key store."""
        certificate, key = self.issue(name)
        file = self._folder / f"{name}.pem"
        file.write_bytes(key.read_bytes() + certificate.read_bytes() + self.ca.read_bytes())
        return file


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=2))
    )
