"""Every event that may stand in the log of a node, and why it discloses nothing of residents."""

from __future__ import annotations

from folkmoot_operator.events import Kind, Level, LogEvent, listed

_SAID = {"round": Kind.ROUND, "text": Kind.SAID}
_ROUND = frozenset({"round"})

_ANSWER = (
    "The round's id, and what became of the answer: what the coordinator learns as well. Counts "
    "are no part of it."
)
_WAITS = "The round's id and a constant sentence; no count and no record decides on it."
_PROBLEM = (
    "Texts of problems are written for logs: they name files, keys and addresses, and quote no "
    "record and no count of households."
)
_TIME = "A constant sentence, with a time from the schedule in the settings."
_RUN = "How a scoring run ended, as a constant sentence; nothing of what it found."


def _said(name: str, level: Level, discloses: str) -> LogEvent:
    return LogEvent(name, level, "{text}", discloses, _SAID, _ROUND)


NOTE = _said("node.note", Level.INFO, "A sentence of the node's own, of constants and ids.")
PROBLEM = _said("node.problem", Level.WARNING, _PROBLEM)

SERVE_STARTED = LogEvent(
    "node.serve.started",
    Level.INFO,
    "{council} visits {address}",
    "The council's public code and the coordinator's address, as the settings have them.",
    {"council": Kind.COUNCIL, "address": Kind.ADDRESS},
)
SERVE_HEADS = LogEvent(
    "node.serve.heads",
    Level.INFO,
    "{text}",
    "How long the logs are and a digest of each; from a digest nothing can be read.",
    {"text": Kind.SAID},
)
SERVE_IDLE = _said("node.serve.idle", Level.WARNING, "How many rounds wait for a person.")

VISIT_FAILED = _said("node.visit.failed", Level.WARNING, _PROBLEM)
CERTIFICATE_RENEWED = _said(
    "node.certificate.renewed", Level.INFO, "A constant sentence, with the certificate's end."
)
CERTIFICATE_ENDS_SOON = _said(
    "node.certificate.ends_soon", Level.INFO, "Whose certificate ends, when, and what to do."
)
CERTIFICATE_ENDED = _said(
    "node.certificate.ended", Level.WARNING, "Whose certificate has ended, when, and what to do."
)
CERTIFICATE_NOT_RENEWED = _said("node.certificate.not_renewed", Level.WARNING, _PROBLEM)

ROUND_UNREADABLE = _said("node.round.unreadable", Level.WARNING, _PROBLEM)
ROUND_NOT_ANSWERED = _said("node.round.not_answered", Level.WARNING, _PROBLEM)
ROUND_RELEASED = _said("node.round.released", Level.INFO, _ANSWER)
ROUND_REFUSED = _said("node.round.refused", Level.INFO, _ANSWER)
ROUND_WAITS_FOR_APPROVAL = _said("node.round.waits_for_approval", Level.INFO, _WAITS)
ROUND_WAITS_FOR_SCORES = _said("node.round.waits_for_scores", Level.INFO, _WAITS)
ROUND_WAITS_AFTER_RUN = _said("node.round.waits_after_run", Level.WARNING, _RUN)
SERIES_FORGOTTEN = _said(
    "node.series.forgotten", Level.INFO, "The beginning of the series' id, which is random."
)

ANSWER_DELIVERED = _said("node.answer.delivered", Level.INFO, _ANSWER)
ANSWER_NOT_ACCEPTED = _said("node.answer.not_accepted", Level.WARNING, _PROBLEM)
ANSWER_OF_ANOTHER_REGION = _said("node.answer.of_another_region", Level.WARNING, _ANSWER)
ANSWER_LOST = _said("node.answer.lost", Level.WARNING, _ANSWER)
HEAD_NOT_WITNESSED = _said("node.ledger.head_not_witnessed", Level.WARNING, _PROBLEM)
ANSWER_SENT_AGAIN = _said("node.answer.sent_again", Level.WARNING, _ANSWER)

CATALOGUE_PUBLISHED = _said(
    "node.catalogue.published", Level.INFO, "A constant sentence: the catalogue itself is public."
)
CATALOGUE_NOT_PUBLISHED = _said("node.catalogue.not_published", Level.WARNING, _PROBLEM)

PAUSED = _said(
    "node.paused", Level.WARNING, "That people have paused the node, with the reason they gave."
)

SCORING_DUE = _said("node.scoring.due", Level.INFO, _TIME)
SCORING_PLANNED = _said("node.scoring.planned", Level.INFO, _TIME)
SCORING_CLOCK = _said("node.scoring.clock_set_back", Level.INFO, "A constant sentence.")
SCORING_STARTED = _said("node.scoring.started", Level.INFO, "A constant sentence.")
SCORING_PAUSED = _said("node.scoring.paused", Level.WARNING, "A constant sentence.")
SCORING_ENDED = _said("node.scoring.ended", Level.INFO, _RUN)
SCORING_ROUNDS_WAIT = _said("node.scoring.rounds_wait", Level.WARNING, _RUN)
SCORING_UNREACHED = _said("node.scoring.unreached", Level.WARNING, _TIME)
SCORING_UNRECORDED = _said("node.scoring.unrecorded", Level.WARNING, _RUN)
SCORING_FAILED = _said("node.scoring.failed", Level.WARNING, _RUN)
SCORING_WARNED = _said(
    "node.scoring.warned",
    Level.WARNING,
    "A plugin that failed, by its name, version and hook; what it was given is not quoted.",
)

PURGED = _said("node.purge.done", Level.INFO, "Which kind of file went, and by which rule.")
PURGE_FAILED = _said("node.purge.failed", Level.WARNING, _PROBLEM)

PREFECT_CHANGED = _said(
    "node.prefect.changed", Level.INFO, "A port of this machine, a duration or a process number."
)
PREFECT_FAILED = _said(
    "node.prefect.failed", Level.WARNING, "How a server ended, and the name of its log."
)

CASEWORK_PURGE_FAILED = LogEvent(
    "casework.purge.failed",
    Level.ERROR,
    "nothing was purged: {problem}",
    _PROBLEM,
    {"problem": Kind.FAULT},
)
CASEWORK_PURGED = LogEvent(
    "casework.purge.done",
    Level.INFO,
    "purged by the casework policy's rule: {what}",
    "Which kind of record a rule deletes. How many were deleted is in the casework log alone: it "
    "would count people.",
    {"what": Kind.SAID},
)
CASEWORK_NOT_SENT = LogEvent(
    "casework.messages.not_sent",
    Level.ERROR,
    "messages were not sent: {problem}",
    "The mail server's name and how it refused; of other errors the type, for their text may "
    "quote a message.",
    {"problem": Kind.FAULT},
)

EVENTS = listed(*(value for value in list(globals().values()) if isinstance(value, LogEvent)))
"""All of them, by name."""
