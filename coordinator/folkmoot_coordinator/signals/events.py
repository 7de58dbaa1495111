"""Every event that may stand in the log of a coordinator, and why it discloses nothing.

A coordinator holds noisy counts alone; no event has a cell of them. Which council has answered
which round is what the region's own tables of rounds show as well.
"""

from __future__ import annotations

from collections.abc import Mapping

from folkmoot_operator.events import Kind, Level, LogEvent, listed

_PROBLEM = (
    "Texts of problems are written for logs: they name files, keys and addresses, and no cell of "
    "a table; of other errors the type alone is written."
)
_COUNCIL = "The public code of a council, and what it did at the coordinator, which keeps it."
_CALL = "The name of a method and the address of a machine, not what was sent."
_PROCESS = "Which of the coordinator's own processes, and how it ended."

_INFO, _WARNING, _ERROR = Level.INFO, Level.WARNING, Level.ERROR


def _event(
    name: str,
    level: Level,
    message: str,
    discloses: str,
    optional: frozenset[str] = frozenset(),
    **fields: Kind,
) -> LogEvent:
    listed_fields: Mapping[str, Kind] = fields
    return LogEvent(name, level, message, discloses, listed_fields, optional)


STOPPED = _event(
    "coordinator.serve.stopped", _INFO, "stopped", "A constant: it has ended as it was asked to."
)

ENROLLED = _event(
    "coordinator.council.enrolled", _INFO, "enrolled council={council}", _COUNCIL,
    council=Kind.COUNCIL,
)  # fmt: skip
RENEWED = _event(
    "coordinator.council.renewed", _INFO, "certificate renewed council={council}", _COUNCIL,
    council=Kind.COUNCIL,
)  # fmt: skip
ENROLLED_AGAIN = _event(
    "coordinator.council.enrolled_again", _INFO, "enrolled again council={council}", _COUNCIL,
    council=Kind.COUNCIL,
)  # fmt: skip
ENROLMENT_WAITS = _event(
    "coordinator.council.waits", _INFO, "enrolment waits for the region council={council}",
    _COUNCIL, council=Kind.COUNCIL,
)  # fmt: skip
ENROLMENT_WAITS_STILL = _event(
    "coordinator.council.waits_still", _WARNING,
    "enrolment waits for the region council={council}", _COUNCIL, council=Kind.COUNCIL,
)  # fmt: skip
CATALOGUE_STORED = _event(
    "coordinator.catalogue.stored", _INFO, "catalogue stored council={council}", _COUNCIL,
    council=Kind.COUNCIL,
)  # fmt: skip
SIGNER_CHANGED = _event(
    "coordinator.policy.signer_changed", _WARNING, "policy signer changed council={council}",
    _COUNCIL, council=Kind.COUNCIL,
)  # fmt: skip
SUBMISSION = _event(
    "coordinator.submission.stored", _INFO,
    "{kind} {result} council={council} round={round} state={state}",
    "That a council has answered, and whether it released or refused: the region's table of "
    "rounds shows it too. No cell is in it.",
    kind=Kind.WORD, result=Kind.WORD, council=Kind.COUNCIL, round=Kind.ROUND, state=Kind.WORD,
)  # fmt: skip
ROUND_CLOSED = _event(
    "coordinator.round.closed", _INFO, "round closed round={round} state={state}",
    "The round's id and its state, which are published.",
    round=Kind.ROUND, state=Kind.WORD,
)  # fmt: skip
COUNTS_DELETED = _event(
    "coordinator.retention.deleted", _INFO, "old counts deleted releases={releases}",
    "How many releases of councils were deleted by the rule of retention.",
    releases=Kind.COUNT,
)  # fmt: skip

CERTIFICATE_RENEWED = _event(
    "coordinator.certificate.renewed", _INFO, "server certificate renewed",
    "A constant: the coordinator has renewed its own certificate.",
)  # fmt: skip
CERTIFICATE_ENDS = _event(
    "coordinator.certificate.ends", _WARNING,
    "certificate {standing} name={whose} until={until} remedy={remedy}",
    "Whose certificate ends and when: it shows that to everybody who connects.",
    standing=Kind.WORD, whose=Kind.WORD, until=Kind.SAID, remedy=Kind.SAID,
)  # fmt: skip
AUTHORITY_UNREADABLE = _event(
    "coordinator.authority.unreadable", _ERROR, "the authority cannot be read again {problem}",
    _PROBLEM, problem=Kind.FAULT,
)  # fmt: skip

CALL_BROKEN_OFF = _event(
    "coordinator.call.broken_off", _INFO, "broken off call={call} peer={peer}", _CALL,
    call=Kind.WORD, peer=Kind.ADDRESS,
)  # fmt: skip
CALL_CUT_OFF = _event(
    "coordinator.call.cut_off", _INFO, "cut off call={call} peer={peer}", _CALL,
    call=Kind.WORD, peer=Kind.ADDRESS,
)  # fmt: skip
CALL_UNDECODABLE = _event(
    "coordinator.call.undecodable", _INFO, "undecodable call={call} peer={peer}", _CALL,
    call=Kind.WORD, peer=Kind.ADDRESS,
)  # fmt: skip
CALL_REJECTED = _event(
    "coordinator.call.rejected", _INFO, "rejected call={call} peer={peer} reason={reason}",
    "A method, the address of a machine, and a reason from the contract's list.",
    call=Kind.WORD, peer=Kind.ADDRESS, reason=Kind.WORD,
)  # fmt: skip
CALL_FAILED = _event(
    "coordinator.call.failed", _ERROR, "failed call={call} problem={problem}", _PROBLEM,
    call=Kind.WORD, problem=Kind.FAULT,
)  # fmt: skip
CALL_FAULT = _event(
    "coordinator.call.fault", _ERROR, "fault call={call} error={error}",
    "A method and the type of an exception, without its text.",
    call=Kind.WORD, error=Kind.WORD,
)  # fmt: skip

NOT_ACCEPTED = _event(
    "coordinator.connection.not_accepted", _WARNING,
    "connection not accepted port={port} error={error}",
    "Which port, and the cause that the operating system gives.",
    port=Kind.WORD, error=Kind.FAULT,
)  # fmt: skip
TOO_MANY = _event(
    "coordinator.connection.too_many", _WARNING, "too many connections port={port} ended={ended}",
    "Which port, and how many connections were ended.",
    port=Kind.WORD, ended=Kind.COUNT,
)  # fmt: skip
REVOKED_ENDED = _event(
    "coordinator.connection.revoked_ended", _INFO,
    "connections of revoked certificates ended connections={connections}",
    "How many connections were ended.",
    connections=Kind.COUNT,
)  # fmt: skip
NOTHING_BEHIND = _event(
    "coordinator.connection.nothing_behind", _ERROR, "no connection behind the gate error={error}",
    "The cause that the operating system gives.",
    error=Kind.FAULT,
)  # fmt: skip

SEEN_NOT_WRITTEN = _event(
    "coordinator.councils.seen_not_written", _ERROR,
    "when councils were last seen is not written problem={problem}", _PROBLEM,
    problem=Kind.FAULT,
)  # fmt: skip
ATTEMPT_FAILED = _event(
    "coordinator.task.failed", _ERROR, "{task} failed error={error}", _PROBLEM,
    task=Kind.WORD, error=Kind.FAULT,
)  # fmt: skip
ATTEMPT_GOES_ON = _event(
    "coordinator.task.goes_on", _INFO, "{task} goes on", "Which of the coordinator's own tasks.",
    task=Kind.WORD,
)  # fmt: skip

PROCESS_ENDED = _event(
    "coordinator.process.ended", _ERROR, "{process} process ended exit={exit}", _PROCESS,
    process=Kind.WORD, exit=Kind.COUNT,
)  # fmt: skip
PROCESS_NOT_STARTED = _event(
    "coordinator.process.not_started", _ERROR, "{process} process cannot be started error={error}",
    _PROCESS, process=Kind.WORD, error=Kind.FAULT,
)  # fmt: skip
PROCESS_STARTED_AGAIN = _event(
    "coordinator.process.started_again", _INFO, "{process} process started again", _PROCESS,
    process=Kind.WORD,
)  # fmt: skip

DRAFT_REFUSED = _event(
    "coordinator.draft.refused", _WARNING, "draft refused draft={draft} reason={reason}",
    _PROBLEM, draft=Kind.ROUND, reason=Kind.FAULT,
)  # fmt: skip
DRAFT_FAILED = _event(
    "coordinator.draft.failed", _ERROR, "draft failed draft={draft} error={error}", _PROBLEM,
    draft=Kind.ROUND, error=Kind.FAULT,
)  # fmt: skip
DRAFT_OPENED = _event(
    "coordinator.draft.opened", _INFO, "draft opened draft={draft} round={round}",
    "Ids of a draft and of the round it became: both are random or digests.",
    draft=Kind.ROUND, round=Kind.ROUND,
)  # fmt: skip
DRAFT_DELAYED = _event(
    "coordinator.draft.delayed", _WARNING,
    "draft not opened yet draft={draft} again_in={again_in}s reason={reason}", _PROBLEM,
    draft=Kind.ROUND, again_in=Kind.SECONDS, reason=Kind.FAULT,
)  # fmt: skip

JOB_DONE = _event(
    "coordinator.schedule.done", _INFO, "schedule job={job} result={result}",
    "What was due by the settings, and the round or the files that came of it.",
    job=Kind.SAID, result=Kind.SAID,
)  # fmt: skip
JOB_FAILED = _event(
    "coordinator.schedule.failed", _WARNING, "schedule job={job} result={result}", _PROBLEM,
    job=Kind.SAID, result=Kind.SAID,
)  # fmt: skip
HISTORY_GAP = _event(
    "coordinator.schedule.history_gap", _WARNING, "{text}",
    "That Prefect cannot be reached, with the type of an error.",
    text=Kind.SAID,
)  # fmt: skip
SCHEDULE_ENDED = _event(
    "coordinator.schedule.ended", _WARNING, "schedule process ended exit_code={exit}", _PROCESS,
    exit=Kind.COUNT,
)  # fmt: skip
SCHEDULE_UNREADABLE = _event(
    "coordinator.schedule.unreadable", _ERROR, "schedule cannot be looked at error={error}",
    _PROBLEM, error=Kind.FAULT,
)  # fmt: skip
SCHEDULE_NOT_STARTED = _event(
    "coordinator.schedule.not_started", _ERROR, "schedule process cannot be started error={error}",
    _PROBLEM, error=Kind.FAULT,
)  # fmt: skip
PREFECT_CHANGED = _event(
    "coordinator.prefect.changed", _INFO, "{text}",
    "A port of this machine, a duration or a process number.",
    text=Kind.SAID,
)  # fmt: skip
PREFECT_FAILED = _event(
    "coordinator.prefect.failed", _WARNING, "{text}",
    "How a server ended, and the name of its log.",
    text=Kind.SAID,
)  # fmt: skip

SITE_READY = _event(
    "site.serve.ready", _INFO, "site ready address={address}",
    "The site's address, as the settings have it.",
    address=Kind.ADDRESS,
)  # fmt: skip
SITE_NOT_SERVED = _event(
    "site.serve.failed", _ERROR, "the site cannot be served: {problem}", _PROBLEM,
    problem=Kind.FAULT,
)  # fmt: skip
SHAPES_NOT_KEPT = _event(
    "site.cache.shapes_not_kept", _WARNING, "Shapes of areas could not be kept: {error}",
    "The cause that the operating system gives; shapes of areas are public.",
    error=Kind.FAULT,
)  # fmt: skip
PICTURE_NOT_KEPT = _event(
    "site.cache.picture_not_kept", _WARNING, "A picture could not be kept: {error}",
    "The cause that the operating system gives; pictures show published figures.",
    error=Kind.FAULT,
)  # fmt: skip

EVENTS = listed(*(value for value in list(globals().values()) if isinstance(value, LogEvent)))
"""All of them, by name."""
