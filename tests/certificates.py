"""A certificate authority of a test: for a server on loopback and for its clients."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PEM = serialization.Encoding.PEM


class Authority:
    """Issues certificates of its own CA; ``ca`` is that as PEM."""

    def __init__(self):
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(f"Test CA {x509.random_serial_number()}")
        self._certificate = self._signed(self._name, self._key.public_key(), 30, is_ca=True)
        self.ca = self._certificate.public_bytes(PEM).decode()

    def issue(self, name, *, days=30, passphrase="", loopback=False):
        """(certificate, key) as PEM; ``days`` from now it ends."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._signed(_name(name), key.public_key(), days, loopback=loopback)
        return certificate.public_bytes(PEM).decode(), key_pem(key, passphrase)

    def serve_from(self, folder):
        """Write what ``sandbox.server.mutual_tls`` reads to ``folder``; return the CA's path."""
        certificate, key = self.issue("localhost", loopback=True)
        (folder / "server.pem").write_text(certificate + key)
        (folder / "ca.pem").write_text(self.ca)
        return folder / "ca.pem"

    def _signed(self, name, public_key, days, *, is_ca=False, loopback=False):
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=60))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        )
        if loopback:
            names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())


def key_pem(key, passphrase=""):
    """A private key as PKCS#8 PEM, encrypted when there is a passphrase."""
    encryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase.encode())
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, encryption).decode()


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
