"""The health service of gRPC, for whatever watches a port: `grpc.health.v1.Health/Check`.

A check goes the way of every other call: through the gate, with a place of its caller's, within
the time of a call, and answered by a worker. `Watch`, a call that stays open, is not served;
clients that the protocol describes then ask again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from grpc_health.v1 import health_pb2

from folkmoot_coordinator.membership.caller import Member
from folkmoot_coordinator.server.methods import Method, UnknownName

PATH = "/grpc.health.v1.Health/Check"


def health(methods: Collection[Method], is_well: Callable[[], bool]) -> Method:
    """The method that says whether a port serves.

    Who may reach a port may ask: on the collection port councils with a certificate of the
    authority, on the enrolment port anybody. Whether the certificate is still valid at the
    coordinator is not looked up: the answer is the same for all.

    Args:
        methods: Those of the port; their services can be asked for by name, and so can the port,
            by the empty name.
        is_well: Whether it can serve them.
    """
    services = {"", *(method.path.split("/")[1] for method in methods)}

    def check(
        request: health_pb2.HealthCheckRequest, member: Member | None
    ) -> Iterable[health_pb2.HealthCheckResponse]:
        del member
        if request.service not in services:
            raise UnknownName
        status = health_pb2.HealthCheckResponse
        return (status(status=status.SERVING if is_well() else status.NOT_SERVING),)

    return Method(
        PATH,
        health_pb2.HealthCheckRequest,
        health_pb2.HealthCheckResponse,
        check,
        for_anybody=True,
        has_rejection=False,
    )
