"""What councils offer, as each published it last. Shown to who plans a round; decides nothing."""

from __future__ import annotations

from collections.abc import Iterable

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select

from folkmoot.catalogue import CATALOGUE_SIGNATURE_DOMAIN, Catalogue
from folkmoot.catalogue_codec import decode_catalogue
from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.rejection import Rejected, Rejection, RejectionReason
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import CatalogueRow, CertificateRow
from folkmoot_coordinator.membership.caller import Member
from folkmoot_coordinator.membership.policy_keys import note_policy_key


def keep_catalogue(
    database: Database, member: Member, serialised: bytes, signature: bytes, now: int
) -> None:
    """Keeps what a council offers, in the place of what it offered before.

    Args:
        database: Where it is kept.
        member: Who is calling.
        serialised: A serialised catalogue.
        signature: Over it, by the key of the caller's certificate.
        now: Seconds since 1970-01-01T00:00:00Z.

    Raises:
        Rejected: MALFORMED, COUNCIL, or CERTIFICATE if the signature is by another key.
    """
    try:
        catalogue = decode_catalogue(serialised)
    except ContractError as error:
        raise Rejected(Rejection(RejectionReason.MALFORMED, str(error))) from error
    if catalogue.council != member.council:
        detail = f"the catalogue names {catalogue.council}, the certificate {member.council}"
        raise Rejected(Rejection(RejectionReason.COUNCIL, detail))
    with database.writing() as session:
        certificate = session.get_one(CertificateRow, member.serial).certificate
        if not _is_signed(certificate, serialised, signature):
            detail = "the catalogue is not signed by the key of the node's certificate"
            raise Rejected(Rejection(RejectionReason.CERTIFICATE, detail))
        note_policy_key(session, member.council, catalogue.policy_key, now)
        session.merge(
            CatalogueRow(
                council=member.council,
                serialised=serialised,
                signature=signature,
                serial=member.serial,
                stored_at=now,
            )
        )


def catalogues_of(database: Database, councils: Iterable[GssCode]) -> dict[GssCode, Catalogue]:
    """The last catalogue of each of these councils that has published one."""
    query = select(CatalogueRow).where(CatalogueRow.council.in_(list(councils)))
    with database.reading() as session:
        rows = session.scalars(query.order_by(CatalogueRow.council)).all()
        return {GssCode(row.council): decode_catalogue(row.serialised) for row in rows}


def _is_signed(certificate: bytes, serialised: bytes, signature: bytes) -> bool:
    key = x509.load_der_x509_certificate(certificate).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    signed = CATALOGUE_SIGNATURE_DOMAIN + serialised
    try:
        key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
