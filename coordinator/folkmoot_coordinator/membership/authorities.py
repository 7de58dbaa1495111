"""The authority of a region, and its change to another one.

While it changes, there are two. The one before goes on to sign what the ports show, the one that
follows signs what nodes get; both are trusted. Each has signed the other: a node that trusts the
one before learns of the one that follows by that signature, and one that trusts only that already
accepts the ports by the other signature. When no node is left behind, the one before is destroyed.

Files of the folder of keys, in the order in which they come and go:

- `authority.key`, `authority.pem`: the authority. Its certificate, and after a change the one by
  which the authority before has vouched for it.
- `authority-next.key`, `authority-next.pem`: the authority that follows. Its certificate, the one
  by which the authority before vouches for it, and the one by which it vouches for that. The change
  has begun when the second of them is there, and has ended when `authority.pem` is for its key.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from folkmoot_coordinator.membership.certificate_authority import (
    CERTIFICATE_FILE,
    KEY_FILE,
    Authority,
)
from folkmoot_coordinator.signals import events
from folkmoot_operator.events import emit
from folkmoot_operator.key_files import KeyFile
from folkmoot_operator.private_files import delete_private, write_private
from folkmoot_operator.problems import ExitCode, Problem

NEXT_KEY_FILE, NEXT_CERTIFICATE_FILE = "authority-next.key", "authority-next.pem"
_PEM, _DER = serialization.Encoding.PEM, serialization.Encoding.DER
_NEXT_REMEDY = (
    "Restore the folder from its backup. If the change has just begun and no node has renewed "
    f"since, remove {NEXT_KEY_FILE} and {NEXT_CERTIFICATE_FILE}: the authority before goes on"
)


@dataclass(frozen=True, slots=True)
class Authorities:
    """What signs in a region now.

    Attributes:
        present: Signs what the ports show.
        following: Signs what nodes get, while the region changes to it; else None.
        voucher: The certificate by which the authority before has vouched for the one that
            nodes get theirs from, DER; empty if there was none before.
        bridge: The certificate by which the authority that follows vouches for the present one,
            PEM; empty where none follows.
    """

    present: Authority
    following: Authority | None = None
    voucher: bytes = b""
    bridge: bytes = b""

    @property
    def issuing(self) -> Authority:
        """The authority from which nodes get certificates."""
        return self.following or self.present

    @property
    def trusted(self) -> bytes:
        """The certificates by which nodes may show who they are, PEM."""
        return self.present.pem + (self.following.pem if self.following else b"")

    @property
    def invited(self) -> bytes:
        """What an invitation names as the authority: its certificate first, then the voucher."""
        vouched = x509.load_der_x509_certificate(self.voucher) if self.voucher else None
        return self.issuing.pem + (vouched.public_bytes(_PEM) if vouched else b"")

    def issuer_of(self, certificate: bytes) -> Authority:
        """Which of both has issued a node's certificate, DER; the issuing one if neither has."""
        found = x509.load_der_x509_certificate(certificate)
        if self.following is not None and not self.following.has_issued(found):
            return self.present
        return self.issuing


def load_authorities(folder: Path) -> Authorities:
    """Reads what signs in a region.

    Raises:
        Problem: If a file is missing or damaged, or files do not belong together.
        UnusableFile: If a file cannot be used now.
    """
    certificate = folder / CERTIFICATE_FILE
    following = folder / NEXT_CERTIFICATE_FILE
    if not following.exists():
        present = Authority.load(folder)
        return Authorities(present, voucher=_voucher(certificate, present))
    if _is_over(folder):
        present = Authority.read(folder / NEXT_KEY_FILE, certificate)
        return Authorities(present, voucher=_voucher(certificate, present))
    shown = KeyFile(following, "the certificates of the authority that follows", _NEXT_REMEDY)
    present = Authority.load(folder)
    follows = Authority.read(folder / NEXT_KEY_FILE, following)
    parts = _certificates(shown)
    if len(parts) != 3:
        raise shown.wrong("are damaged")
    return Authorities(present, follows, parts[1].public_bytes(_DER), parts[2].public_bytes(_PEM))


def renew_authority(folder: Path, now: int) -> Authority:
    """Gives the authority a certificate that begins today, for the same name and key.

    Nodes take it at their next renewal, and accept the ports meanwhile by the one that they have.

    Raises:
        Problem: If a file is damaged, or the region is changing to another authority.
    """
    found = load_authorities(folder)
    if found.following is not None:
        raise _changing()
    renewed = found.present.renewed(now)
    voucher = x509.load_der_x509_certificate(found.voucher) if found.voucher else None
    text = renewed.pem + (voucher.public_bytes(_PEM) if voucher else b"")
    write_private(folder / CERTIFICATE_FILE, text, replace=True)
    return renewed


def begin_change(folder: Path, region: str, now: int) -> Authorities:
    """Makes the authority that follows.

    Raises:
        Problem: If a file is damaged, the present one has ended, or the region is changing already.
    """
    before = load_authorities(folder)
    if before.following is not None:
        raise _changing()
    if before.present.expires_at <= now:
        raise Problem(
            "the authority has ended, so it can vouch for no other",
            where=CERTIFICATE_FILE,
            remedy="Run `folkmoot-coordinator authority renew` first; its key stays",
            exit_code=ExitCode.REFUSED,
        )
    _tidy(folder)
    follows = Authority.make(region, now)
    vouches, bridge = before.present.certify(follows), follows.certify(before.present)
    write_private(folder / NEXT_KEY_FILE, follows.key_pem, replace=True)
    text = follows.pem + vouches.public_bytes(_PEM) + bridge.public_bytes(_PEM)
    write_private(folder / NEXT_CERTIFICATE_FILE, text, replace=True)  # with it, it has begun
    return load_authorities(folder)


def end_change(folder: Path) -> Authority:
    """Puts the authority that follows in place, and destroys the key of the one before.

    Raises:
        Problem: If a file is damaged, or the region does not change its authority.
    """
    found = load_authorities(folder)
    if found.following is None:
        raise Problem(
            "the region does not change its authority",
            where=str(folder),
            remedy="`folkmoot-coordinator authority change` begins a change",
            exit_code=ExitCode.REFUSED,
        )
    voucher = x509.load_der_x509_certificate(found.voucher)
    text = found.following.pem + voucher.public_bytes(_PEM)
    write_private(folder / CERTIFICATE_FILE, text, replace=True)  # with it, it has ended
    _tidy(folder)
    return found.following


def _tidy(folder: Path) -> None:
    """Puts the files in order after a change that has ended, or was broken off at its beginning."""
    key, next_key = folder / KEY_FILE, folder / NEXT_KEY_FILE
    if (folder / NEXT_CERTIFICATE_FILE).exists():
        write_private(key, next_key.read_bytes(), replace=True)
        delete_private(folder / NEXT_CERTIFICATE_FILE)
    if next_key.exists():
        delete_private(next_key)


def _is_over(folder: Path) -> bool:
    """Whether the change has ended, though files of it are still there."""
    present = KeyFile(folder / CERTIFICATE_FILE, "the authority's certificate", _NEXT_REMEDY)
    follows = KeyFile(folder / NEXT_CERTIFICATE_FILE, "the authority that follows", _NEXT_REMEDY)
    return present.certificate().public_key() == follows.certificate().public_key()


def _voucher(file: Path, authority: Authority) -> bytes:
    """The certificate by which an authority before has vouched for one, DER; empty if none has."""
    parts = _certificates(KeyFile(file, "the authority's certificate", _NEXT_REMEDY))
    for one in parts[1:]:
        if one.public_key() == authority.certificate.public_key():
            return one.public_bytes(_DER)
    return b""


def _certificates(file: KeyFile) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(file.content())
    except ValueError:
        raise file.wrong("is damaged") from None


def _changing() -> Problem:
    return Problem(
        "the region is changing its authority",
        where=NEXT_CERTIFICATE_FILE,
        remedy="`folkmoot-coordinator authority status` says which councils are left; "
        "`authority finish` ends the change",
        exit_code=ExitCode.REFUSED,
    )


class KeptAuthorities:
    """What signs in a region, read again when its files change. Threads may share it.

    So a command that renews or changes the authority reaches the ports that are serving.
    """

    def __init__(self, folder: Path) -> None:
        """Reads them; raises as `load_authorities` does."""
        self._folder = folder
        self._stamp = _stamp(folder)
        self._found = load_authorities(folder)

    def current(self) -> Authorities:
        """What signs now; what was read last, if the files cannot be used now."""
        stamp = _stamp(self._folder)
        if stamp != self._stamp:
            try:
                self._found = load_authorities(self._folder)
            except Problem as problem:
                emit(events.AUTHORITY_UNREADABLE, problem=problem)
            self._stamp = stamp
        return self._found


def _stamp(folder: Path) -> tuple[tuple[int, int] | None, ...]:
    """Changes when one of the files does."""
    found: list[tuple[int, int] | None] = []
    for name in (KEY_FILE, CERTIFICATE_FILE, NEXT_KEY_FILE, NEXT_CERTIFICATE_FILE):
        try:
            state = (folder / name).stat()
            found.append((state.st_ino, state.st_mtime_ns))
        except OSError:
            found.append(None)
    return tuple(found)
