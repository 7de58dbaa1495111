"""Reads files of keys and certificates. Whatever lies in their place ends in a clear message.

They are short and of few kinds. A file may be cut, empty, of another kind, locked by a password or
no file at all; libraries meet these with errors of many types, and some with the end of the
process, when they are given what nobody has looked at. So a key is parsed here first.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from folkmoot_operator.private_files import is_open_to_others
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.service_manager import is_credential
from folkmoot_operator.short_files import read_short_file
from folkmoot_operator.unusable_files import is_known, unusable


def certificate_in(pem: bytes) -> x509.Certificate:
    """A certificate that was read and checked before, PEM; the first of several."""
    return x509.load_pem_x509_certificate(pem)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A file that holds a key or a certificate.

    Attributes:
        path: The file.
        what: What it is for people: `the node's private key`.
        remedy: What to do if it is missing or damaged; it leads to an end without a backup, too.
    """

    path: Path
    what: str
    remedy: str

    def elliptic_curve_key(self) -> ec.EllipticCurvePrivateKey:
        """The ECDSA private key in the file, PEM without a password.

        Raises:
            Problem: Exit code SETTINGS, if it is no such key, or other accounts may read it.
            UnusableFile: If the file cannot be used now.
        """
        key = self._private_key()
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise self.wrong("holds a key of another kind")
        return key

    def ed25519_key(self) -> Ed25519PrivateKey:
        """The Ed25519 private key in the file, PEM without a password.

        Raises:
            Problem: Exit code SETTINGS, if it is no such key, or other accounts may read it.
            UnusableFile: If the file cannot be used now.
        """
        key = self._private_key()
        if not isinstance(key, Ed25519PrivateKey):
            raise self.wrong("holds a key of another kind")
        return key

    def _private_key(self) -> PrivateKeyTypes:
        content = self.content()
        if not is_credential(self.path) and is_open_to_others(self.path):
            raise Problem(
                f"{self.what} is open to other accounts",
                where=str(self.path),
                remedy=f"Run `chmod 600 {shlex.quote(str(self.path))}`; if others have read it, "
                "have the key replaced",
                exit_code=ExitCode.SETTINGS,
            )
        try:
            return serialization.load_pem_private_key(content, None)
        except TypeError:
            raise self.wrong("is locked by a password") from None
        except Exception as error:  # of many types, each for another kind of damage
            raise self.wrong(f"is damaged ({type(error).__name__})") from None

    def certificate(self) -> x509.Certificate:
        """The certificate in the file, PEM.

        Raises:
            Problem: Exit code SETTINGS, if it is none.
            UnusableFile: If the file cannot be used now.
        """
        content = self.content()
        try:
            certificate = x509.load_pem_x509_certificate(content)
            certificate.public_key()
        except Exception as error:
            raise self.wrong(f"is damaged ({type(error).__name__})") from None
        return certificate

    def hexadecimal(self, length: int) -> bytes:
        """The bytes in the file, which has them as hexadecimal digits.

        Args:
            length: How many bytes there must be.

        Raises:
            Problem: Exit code SETTINGS, if it holds anything else.
            UnusableFile: If the file cannot be used now.
        """
        try:
            value = bytes.fromhex(self.content().decode("ascii").strip())
        except ValueError:
            raise self.wrong("is damaged") from None
        if len(value) != length:
            raise self.wrong("is damaged")
        return value

    def content(self) -> bytes:
        """The bytes of the file.

        Raises:
            Problem: Exit code SETTINGS, if it is missing, empty or too long for a key.
            UnusableFile: If the file cannot be used now.
        """
        try:
            content = read_short_file(self.path)
        except FileNotFoundError:
            raise self.wrong("is missing") from None
        except OSError as error:
            if not is_known(error):
                raise self.wrong(f"cannot be read: {error.strerror}") from None
            raise unusable(error, self.path, self.what) from None
        if not content.strip():
            raise self.wrong("is empty, or too long for a key")
        return content

    def wrong(self, how: str) -> Problem:
        """The problem that the file is not what it should be."""
        return Problem(
            f"{self.what} {how}",
            where=str(self.path),
            remedy=self.remedy,
            exit_code=ExitCode.SETTINGS,
        )
