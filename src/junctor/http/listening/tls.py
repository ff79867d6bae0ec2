"""TLS of a listener: certificate, key, and the authorities of its clients; read again when the files have changed."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

from junctor.errors import ConfigurationError
from junctor.http.settings import Tls

__all__ = ("context_of", "fingerprint_of")


def context_of(tls: Tls) -> ssl.SSLContext:
    """A context for serving: TLS 1.2 or newer, the standard library's ciphers, HTTP/1.1.

    :raises ConfigurationError: a file cannot be read, or does not hold what it should; the file is named.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    for field in ("certificate", "key", "clients"):
        if (file := getattr(tls, field)) is not None:
            _read(file, field)
    try:
        # An encrypted key would ask for its password on the terminal, and wait.
        context.load_cert_chain(tls.certificate, tls.key, password=_refuse_password)
    except _Encrypted:
        raise ConfigurationError(
            f"the key in {tls.key} is encrypted", where="http.tls.key", fix="Give a key without a password, mode 0600."
        ) from None
    except (ssl.SSLError, OSError) as error:
        raise _unfit(tls, error) from error
    if tls.clients is not None:
        try:
            context.load_verify_locations(tls.clients)
        except (ssl.SSLError, OSError) as error:
            raise _not_pem(tls.clients, "clients", "certificate") from error
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def fingerprint_of(tls: Tls) -> bytes:
    """Changes when one of the files does.

    :raises ConfigurationError: a file cannot be read.
    """
    files = [(tls.certificate, "certificate"), (tls.key, "key")]
    files += [(tls.clients, "clients")] if tls.clients is not None else []
    return hashlib.sha256(b"\0".join(_read(file, field) for file, field in files)).digest()


class _Encrypted(Exception):
    """The key file needs a password."""


def _refuse_password() -> str:
    raise _Encrypted


def _read(file: str, field: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"{file} cannot be read: {error.strerror}",
            where=f"http.tls.{field}",
            fix="Give a PEM file that the user of the node may read.",
        ) from error


def _unfit(tls: Tls, error: Exception) -> ConfigurationError:
    reason = getattr(error, "reason", None) or str(error)
    if reason == "KEY_VALUES_MISMATCH":
        return ConfigurationError(
            f"the key in {tls.key} does not belong to the certificate in {tls.certificate}",
            where="http.tls.key",
            fix="Give the key with which the certificate was made.",
        )
    if "CERTIFICATE" not in _read(tls.certificate, "certificate").decode("latin-1"):
        return _not_pem(tls.certificate, "certificate", "certificate")
    if "PRIVATE KEY" not in _read(tls.key, "key").decode("latin-1"):
        return _not_pem(tls.key, "key", "private key")
    return ConfigurationError(
        f"{tls.certificate} and {tls.key} cannot be used: {str(reason).lower().replace('_', ' ')}",
        where="http.tls",
        fix="Give a certificate with its chain and its key, both as PEM.",
    )


def _not_pem(file: str, field: str, what: str) -> ConfigurationError:
    return ConfigurationError(
        f"{file} holds no {what} that can be read",
        where=f"http.tls.{field}",
        fix=f"Give a PEM file: it has a line -----BEGIN {what.upper()}-----.",
    )
