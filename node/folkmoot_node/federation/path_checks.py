"""The way to the coordinator, step by step: which one fails says who can repair it."""

from __future__ import annotations

from collections.abc import Iterator

from folkmoot_node.federation.connection_problems import of_connection
from folkmoot_node.federation.identity import KeyFiles, load_identity
from folkmoot_node.settings.region import CoordinatorSettings
from folkmoot_operator.checks import Check, Finding, State
from folkmoot_operator.connection_probe import Step, Way, probe, steps_of

NAME = "path"
_DONE = {
    Step.PROXY: "the proxy opens a tunnel",
    Step.NAME: "the coordinator's name is found",
    Step.PORT: "its port takes connections",
    Step.TLS: "what listens there speaks TLS",
    Step.AUTHORITY: "its certificate is by the region's authority, for this name, and valid now",
    Step.CERTIFICATE: "it accepts this node's certificate",
    Step.SERVICE: "it speaks HTTP/2",
}


def path_to_coordinator(settings: CoordinatorSettings | None, keys: KeyFiles) -> Check:
    """Whether the coordinator is reached; if it is not, at which step the way ends.

    Nothing is sent but what opens a connection.

    Args:
        settings: Where the coordinator is; None before enrolment.
        keys: The node's keys.
    """

    def look() -> Iterator[Finding]:
        if settings is None or not keys.certificate.exists():
            yield Finding(NAME, State.OK, "the node is in no region, and connects to nothing")
            return
        identity = load_identity(keys)
        way = Way(
            settings.address,
            identity.authority.decode(errors="replace"),
            settings.proxy,
            (keys.certificate, keys.tls_key),
        )
        blocked = probe(way)
        done, failed = steps_of(way, blocked)
        if blocked is None or failed is None:
            yield Finding(NAME, State.OK, "; ".join(_DONE[step] for step in done))
            return
        for step in done:
            yield Finding(f"{NAME}: {step.value}", State.OK, _DONE[step])
        problem = of_connection(way, blocked, enrolling=False)
        yield Finding(
            f"{NAME}: {failed.value}", State.FAIL, problem.problem, problem.remedy, problem.where
        )

    return Check(NAME, look)
