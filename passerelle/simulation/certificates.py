"""A certification authority, and the certificates it gives to the simulated operator.

Made at each start, valid for loopback only, of no worth anywhere else.
https://www.rfc-editor.org/rfc/rfc5280#section-4.2
"""

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_FOR = timedelta(days=7)
_BEFORE = timedelta(hours=1)  # clocks differ


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where the files of one authority are: its own, a server's, a client's, what it revokes."""

    ca_file: Path
    server_certificate: Path
    server_key: Path
    client_certificate: Path
    client_key: Path
    crl_file: Path


def make_certificates(
    folder: Path,
    *,
    now: datetime,
    host_names: tuple[str, ...] = ("localhost",),
    revokes_server: bool = False,
) -> Certificates:
    """Make an authority with a server and a client certificate, written to a folder.

    The authority's list of revoked certificates holds the server's when ``revokes_server``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _authority(authority_key, now)
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in host_names]
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in ("127.0.0.1", "::1")]
    files = Certificates(
        folder / "ca.pem",
        folder / "server.pem",
        folder / "server.key",
        folder / "client.pem",
        folder / "client.key",
        folder / "revoked.pem",
    )
    files.ca_file.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    for certificate_file, key_file, usage, alternatives in (
        (files.server_certificate, files.server_key, ExtendedKeyUsageOID.SERVER_AUTH, names),
        (files.client_certificate, files.client_key, ExtendedKeyUsageOID.CLIENT_AUTH, []),
    ):
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _leaf(key.public_key(), authority, now, usage)
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), False)
        certificate = builder.sign(authority_key, hashes.SHA256())
        certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        _write_key(key_file, key)
    revoked = [files.server_certificate] if revokes_server else []
    files.crl_file.write_bytes(_revocations(authority, authority_key, revoked, now))
    return files


def server_context(files: Certificates, *, demand_client: bool = False) -> ssl.SSLContext:
    """Give the TLS context of the server; ``demand_client``: only for holders of our client's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(files.server_certificate, files.server_key)
    if demand_client:
        context.load_verify_locations(files.ca_file)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _authority(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    name = _name("Autorité de démonstration")
    return (
        _dated(x509.CertificateBuilder(), now)
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .sign(key, hashes.SHA256())
    )


def _leaf(
    key: ec.EllipticCurvePublicKey,
    authority: x509.Certificate,
    now: datetime,
    usage: x509.ObjectIdentifier,
) -> x509.CertificateBuilder:
    issuer = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        _dated(x509.CertificateBuilder(), now)
        .subject_name(_name("Opérateur de démonstration"))
        .issuer_name(authority.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), critical=False
        )
    )


def _revocations(
    authority: x509.Certificate,
    key: ec.EllipticCurvePrivateKey,
    revoked: list[Path],
    now: datetime,
) -> bytes:
    """Write the list of what an authority takes back, in PEM."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.subject)
        .last_update(now - _BEFORE)
        .next_update(now + VALID_FOR)
    )
    for file in revoked:
        serial = x509.load_pem_x509_certificate(file.read_bytes()).serial_number
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _dated(builder: x509.CertificateBuilder, now: datetime) -> x509.CertificateBuilder:
    return builder.not_valid_before(now - _BEFORE).not_valid_after(now + VALID_FOR)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _write_key(file: Path, key: ec.EllipticCurvePrivateKey) -> None:
    file.touch(mode=0o600)
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
