"""A Prometheus behind TLS with an authority of its own, a log-in, and client certificates."""

from __future__ import annotations

import json
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import requests
from support.servers import Prometheus

USER, PASSWORD = "me", "s3cr3t"
HASH = "$2b$04$aB.u99u5CwEQB3CzUfcdVuuwFcelHq.nHZlpCcuTkx4SBsH4MS23q"
"""Of the password, by bcrypt."""


@dataclass(frozen=True)
class Certificates:
    """Paths of an authority's certificate, and of what it signed for 127.0.0.1 and for a client."""

    folder: Path

    @property
    def authority(self) -> str:
        return str(self.folder / "ca.pem")

    def of(self, name: str) -> tuple[str, str]:
        """Certificate and key of ``"server"`` or ``"client"``."""
        return str(self.folder / f"{name}.pem"), str(self.folder / f"{name}.key")

    def context(self) -> ssl.SSLContext:
        """For a server."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(*self.of("server"))
        return made


def make_certificates(folder: Path) -> Certificates:
    """Make all of it in `folder`."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, check=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=an authority", "-days", "2")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    for name in ("server", "client"):
        openssl("req", "-new", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names", "-days", "2")
        openssl("x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", *signed)
    return Certificates(folder)


class SecurePrometheus(Prometheus):
    """Asks for a user name, a password and a certificate, and watches itself as job ``secure``."""

    def __init__(self, certificates: Certificates) -> None:
        super().__init__({})
        self.certificates = certificates
        self.url = f"https://{self.address}"
        self._targets = {"secure": self.address}
        certificate, key = certificates.of("client")
        self.scraped_with = {
            "scheme": "https",
            "basic_auth": {"username": USER, "password": PASSWORD},
            "tls_config": {"ca_file": certificates.authority, "cert_file": certificate, "key_file": key},
        }

    def arguments(self, folder: Path) -> list[str]:
        certificate, key = self.certificates.of("server")
        web = {
            "tls_server_config": {
                "cert_file": certificate,
                "key_file": key,
                "client_auth_type": "RequireAndVerifyClientCert",
                "client_ca_file": self.certificates.authority,
            },
            "basic_auth_users": {USER: HASH},
        }
        (folder / "web.yml").write_text(json.dumps(web))
        return [*super().arguments(folder), f"--web.config.file={folder / 'web.yml'}"]

    def _is_ready(self) -> bool:
        more = {"verify": self.certificates.authority, "cert": self.certificates.of("client")}
        try:
            return requests.get(self.url + self.ready, auth=(USER, PASSWORD), timeout=2, **more).status_code == 200
        except requests.RequestException:
            return False
