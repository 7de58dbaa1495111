"""Every metric of a coordinator, and why it discloses nothing.

A coordinator holds noisy counts alone, and no metric is made of them: not of how many households
a round has, nor of any cell.
"""

from __future__ import annotations

import re

from folkmoot.rejection import RejectionReason
from folkmoot.rounds import RoundState
from folkmoot.v1 import collection_pb2, enrolment_pb2
from folkmoot_operator.metrics import Metric, Sort, listed

METHODS = (
    "Check",
    *sorted(
        method.name
        for file in (collection_pb2, enrolment_pb2)
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    ),
    "other",
)
"""Methods of the wire as metrics name them: those of the contract, and the check of health."""

_REGION = "Which councils belong to the region, and how its rounds stand, its own tables show."
_CALLS = "It counts calls of programs, whatever they carry."
_PORTS = frozenset({"collection", "enrolment"})

COUNCILS = Metric(
    "folkmoot_coordinator_councils",
    Sort.GAUGE,
    "Enrolled councils: heard in the last day, silent for longer, or without a valid certificate",
    _REGION,
    {"standing": frozenset({"heard", "silent", "without_certificate"})},
)
ROUNDS = Metric(
    "folkmoot_coordinator_rounds",
    Sort.GAUGE,
    "Rounds by their state",
    _REGION,
    {"state": frozenset(state.name.lower() for state in RoundState)},
)
ROUNDS_OVERDUE = Metric(
    "folkmoot_coordinator_rounds_overdue",
    Sort.GAUGE,
    "Rounds that are open five minutes after their deadline",
    _REGION,
)
SUBMISSIONS = Metric(
    "folkmoot_coordinator_submissions_total",
    Sort.COUNTER,
    "Answers of councils that were accepted",
    _REGION,
    {"kind": frozenset({"release", "refusal"}), "result": frozenset({"stored", "repeated"})},
)
REJECTIONS = Metric(
    "folkmoot_coordinator_rejections_total",
    Sort.COUNTER,
    "Requests that were not accepted, by the reason that the contract names",
    "A reason follows from the form of a request and from whose it is, never from a count.",
    {"reason": frozenset(reason.name.lower() for reason in RejectionReason)},
)
CALLS = Metric(
    "folkmoot_coordinator_calls_total",
    Sort.COUNTER,
    "Calls by method and how they ended",
    _CALLS,
    {
        "method": frozenset(METHODS),
        "result": frozenset(
            {"answered", "rejected", "broken_off", "cut_off", "undecodable", "failed", "fault"}
        ),
    },
)
CONNECTIONS = Metric(
    "folkmoot_coordinator_connections",
    Sort.GAUGE,
    "Connections that are open",
    _CALLS,
    {"port": _PORTS},
)
TURNED_AWAY = Metric(
    "folkmoot_coordinator_connections_turned_away_total",
    Sort.COUNTER,
    "Connections that were ended since there were too many",
    _CALLS,
    {"port": _PORTS},
)
CERTIFICATE_DAYS = Metric(
    "folkmoot_coordinator_certificate_days_left",
    Sort.GAUGE,
    "Days until a certificate ends; negative when it has ended",
    "A certificate shows its end to everybody who connects.",
    {"certificate": frozenset({"authority", "server"})},
)
DATABASE_BYTES = Metric(
    "folkmoot_coordinator_database_bytes",
    Sort.GAUGE,
    "Size of the database's file; none where the database is a server of its own",
    "It grows with rounds and councils; a table has as many cells as its question asks for, "
    "whoever lives there.",
)
DISK_FREE = Metric(
    "folkmoot_coordinator_disk_free_ratio",
    Sort.GAUGE,
    "Free share of the disk that holds the coordinator's folder, rounded down to a hundredth",
    "It is the room on a disk, to a hundredth.",
)
PAUSED = Metric(
    "folkmoot_coordinator_paused",
    Sort.GAUGE,
    "1 while a person has paused the coordinator",
    "It is one bit, set by a person, and councils see that no round is open.",
)
RESTARTS = Metric(
    "folkmoot_coordinator_process_restarts_total",
    Sort.COUNTER,
    "Processes that had ended and were started again",
    "It counts processes of the coordinator's own.",
    {"process": frozenset({"enrolment", "viewer"})},
)
SITE_REQUESTS = Metric(
    "folkmoot_coordinator_site_requests_total",
    Sort.COUNTER,
    "Requests to the region's site by the pattern of their address and the class of their status",
    "A pattern such as `/rounds/{round_id}` names no round, no person and no search; an address "
    "that no page has counts as `other`.",
    {
        "route": re.compile(r"other|/|(/(\{[a-z_]{1,40}(:path)?\}|[a-z][a-z0-9._-]{0,40})){1,8}/?"),
        "status": frozenset({"2xx", "3xx", "4xx", "5xx"}),
    },
)

METRICS = listed(*(value for value in list(globals().values()) if isinstance(value, Metric)))
"""All of them, by name."""
