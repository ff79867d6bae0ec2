"""A certificate authority of a test: certificates of servers and of clients, as files."""

from __future__ import annotations

from pathlib import Path

import trustme


class Authority:
    """``ca``: the file for those who trust it."""

    def __init__(self, folder: Path) -> None:
        self._own = trustme.CA()
        self._folder = folder
        self.ca = folder / f"ca-{id(self):x}.pem"
        self._own.cert_pem.write_to_path(str(self.ca))

    def issue(self, name: str) -> tuple[Path, Path]:
        """Certificate and key for a host, or for a client called so (common name)."""
        certificate = self._own.issue_cert(name, common_name=name)
        crt, key = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        for number, part in enumerate(certificate.cert_chain_pems):
            part.write_to_path(str(crt), append=number > 0)
        certificate.private_key_pem.write_to_path(str(key))
        key.chmod(0o600)
        return crt, key
