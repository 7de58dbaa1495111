"""Certificates for councils, over the wire."""

from __future__ import annotations

from collections.abc import Iterable

from folkmoot.geography import GssCode
from folkmoot.v1 import enrolment_pb2
from folkmoot_coordinator.membership.authorities import KeptAuthorities
from folkmoot_coordinator.membership.caller import Member
from folkmoot_coordinator.membership.enrolling_again import EnrolmentAgain
from folkmoot_coordinator.membership.enrolment import Enrolment
from folkmoot_coordinator.server.methods import Method
from folkmoot_coordinator.server.wire_versions import agree_version, check_protocol
from folkmoot_coordinator.signals import events
from folkmoot_operator.events import emit

_SERVICE = "/folkmoot.v1.EnrolmentService/"


class EnrolmentService:
    """How a council becomes a member, and stays one."""

    def __init__(
        self,
        enrolment: Enrolment,
        again: EnrolmentAgain,
        authorities: KeptAuthorities,
        signing_key: bytes,
    ) -> None:
        self._enrolment = enrolment
        self._again = again
        self._authorities = authorities
        self._signing_key = signing_key

    def methods(self) -> tuple[Method, ...]:
        """What it serves."""
        return (
            Method(
                f"{_SERVICE}Enrol",
                enrolment_pb2.EnrolRequest,
                enrolment_pb2.EnrolResponse,
                self._enrol,
                for_anybody=True,
            ),
            Method(
                f"{_SERVICE}Renew",
                enrolment_pb2.RenewRequest,
                enrolment_pb2.RenewResponse,
                self._renew,
            ),
            Method(
                f"{_SERVICE}EnrolAgain",
                enrolment_pb2.EnrolAgainRequest,
                enrolment_pb2.EnrolAgainResponse,
                self._enrol_again,
                for_anybody=True,
            ),
        )

    def _enrol(
        self, request: enrolment_pb2.EnrolRequest, _: Member | None
    ) -> Iterable[enrolment_pb2.EnrolResponse]:
        """Exchanges an invitation token and a signing request for a certificate."""
        agree_version(request.versions)
        certificate = self._enrolment.enrol(
            request.token, request.council, request.csr, request.policy_key
        )
        emit(events.ENROLLED, council=GssCode(request.council))
        return (enrolment_pb2.EnrolResponse(membership=self._membership(certificate)),)

    def _renew(
        self, request: enrolment_pb2.RenewRequest, member: Member
    ) -> Iterable[enrolment_pb2.RenewResponse]:
        """Replaces a certificate before it expires."""
        check_protocol(request.protocol)
        certificate = self._enrolment.renew(member, request.csr)
        emit(events.RENEWED, council=member.council)
        return (enrolment_pb2.RenewResponse(membership=self._membership(certificate)),)

    def _enrol_again(
        self, request: enrolment_pb2.EnrolAgainRequest, _: Member | None
    ) -> Iterable[enrolment_pb2.EnrolAgainResponse]:
        """Keeps the request of a council whose certificate has ended, or answers it."""
        agree_version(request.versions)
        council, found = self._again.ask(request.certificate, request.csr, request.signature)
        if isinstance(found, int):
            emit(events.ENROLMENT_WAITS, council=council)
            waits = enrolment_pb2.WaitsForRegion(until=found)
            return (enrolment_pb2.EnrolAgainResponse(waits=waits),)
        emit(events.ENROLLED_AGAIN, council=council)
        return (enrolment_pb2.EnrolAgainResponse(membership=self._membership(found)),)

    def _membership(self, certificate: bytes) -> enrolment_pb2.Membership:
        authorities = self._authorities.current()
        issuer = authorities.issuer_of(certificate)
        return enrolment_pb2.Membership(
            certificate=certificate,
            authority=issuer.der,
            signing_key=self._signing_key,
            voucher=authorities.voucher if issuer is authorities.issuing else b"",
        )
