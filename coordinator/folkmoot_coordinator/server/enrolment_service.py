"""Certificates for councils, over the wire."""

from __future__ import annotations

from collections.abc import Iterable

from folkmoot.geography import GssCode
from folkmoot.v1 import enrolment_pb2
from folkmoot_coordinator.membership.caller import Member
from folkmoot_coordinator.membership.certificate_authority import Authority
from folkmoot_coordinator.membership.enrolment import Enrolment
from folkmoot_coordinator.server.methods import Method
from folkmoot_coordinator.server.wire_versions import agree_version, check_protocol
from folkmoot_coordinator.signals import events
from folkmoot_operator.events import emit

_SERVICE = "/folkmoot.v1.EnrolmentService/"


class EnrolmentService:
    """How a council becomes a member, and stays one."""

    def __init__(self, enrolment: Enrolment, authority: Authority, signing_key: bytes) -> None:
        self._enrolment = enrolment
        self._authority = authority
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

    def _membership(self, certificate: bytes) -> enrolment_pb2.Membership:
        return enrolment_pb2.Membership(
            certificate=certificate, authority=self._authority.der, signing_key=self._signing_key
        )
