"""Whom to believe that they are who they say."""

from __future__ import annotations

import ssl
from pathlib import Path


def trust(ca: Path | None, certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or later, the other side always verified: by the authorities of the machine, or by those in ``ca`` alone.

    :param certificate: one's own, with ``key`` where that is in a file of its own.
    :raises OSError: a file cannot be read, is no certificate, or a key with a password.
    """
    context = ssl.create_default_context(cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate is not None:
        context.load_cert_chain(certificate, key, password=_refuse_password)
    return context


def _refuse_password() -> str:
    """An encrypted key would ask for its password on the terminal, and wait."""
    raise OSError("the private key is encrypted")
