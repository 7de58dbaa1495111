"""Every metric of a node, and why it discloses nothing of residents.

How many households there are, how many are in a band, how many records were quarantined: none of
these is a metric, and nothing that could be divided into them. Durations that grow with the
number of records are rounded up to ten seconds, and free space to a hundredth.
"""

from __future__ import annotations

from folkmoot.refusal import RefusalReason
from folkmoot_operator.metrics import Metric, Sort, listed

STAGES = ("read", "link", "create", "score", "finish")
"""The stages of a scoring run, in their order."""
STEP_SECONDS = 10
"""Durations of runs and stages are rounded up to this."""

_CLOCK = "When runs begin is set by the schedule; how long ago one began says nothing of records."
_ROUNDED = (
    "It grows with the number of records, so it is rounded up to ten seconds; the number of homes "
    "of a council is published, and no finer number can be had from it."
)
_REGION = "The region learns the same from the answers themselves."
_POLICY = "A reason follows from policy and round alone, never from data, and the region learns it."

SCORES_AGE = Metric(
    "folkmoot_node_scores_age_seconds",
    Sort.GAUGE,
    "Seconds since the last scoring run ended well",
    _CLOCK,
)
RUN_DURATION = Metric(
    "folkmoot_node_run_duration_seconds",
    Sort.GAUGE,
    "Duration of the last scoring run that ended well, in seconds, rounded up to ten",
    _ROUNDED,
)
STAGE_DURATION = Metric(
    "folkmoot_node_stage_duration_seconds",
    Sort.GAUGE,
    "Duration of each stage of the last scoring run that `serve` started, rounded up to ten",
    _ROUNDED,
    {"stage": frozenset(STAGES)},
)
RUN_STOPPED = Metric(
    "folkmoot_node_run_stopped",
    Sort.GAUGE,
    "1 while rounds wait since a scoring run has not come to a good end",
    "It is one bit, which the region sees as well: rounds are then not answered.",
)
VISITS = Metric(
    "folkmoot_node_visits_total",
    Sort.COUNTER,
    "Visits to the coordinator",
    "The coordinator sees each visit itself.",
    {"result": frozenset({"reached", "failed"})},
)
ANSWERS = Metric(
    "folkmoot_node_answers",
    Sort.GAUGE,
    "Rounds that this node has answered, since it exists",
    _REGION,
    {"kind": frozenset({"release", "refusal"})},
)
REFUSALS = Metric(
    "folkmoot_node_refused_rounds",
    Sort.GAUGE,
    "Rounds that this node has refused, since it exists, by reason",
    _POLICY,
    {"reason": frozenset(reason.name.lower() for reason in RefusalReason)},
)
ROUNDS_WAITING = Metric(
    "folkmoot_node_rounds_waiting",
    Sort.GAUGE,
    "Open rounds that have no answer yet",
    _REGION,
)
UNDELIVERED = Metric(
    "folkmoot_node_answers_undelivered",
    Sort.GAUGE,
    "Answers without a receipt",
    _REGION,
)
BUDGET_LEFT = Metric(
    "folkmoot_node_budget_left_ratio",
    Sort.GAUGE,
    "Share of the privacy budget that is left, of the accounting period and for all time",
    "The caps are published with the policy, and what a round costs stands in the round.",
    {"of": frozenset({"period", "lifetime"})},
)
CERTIFICATE_DAYS = Metric(
    "folkmoot_node_certificate_days_left",
    Sort.GAUGE,
    "Days until a certificate ends; negative when it has ended",
    "A certificate shows its end to everybody who connects.",
    {"certificate": frozenset({"node", "authority"})},
)
DISK_FREE = Metric(
    "folkmoot_node_disk_free_ratio",
    Sort.GAUGE,
    "Free share of the disk that holds the node's folder, rounded down to a hundredth",
    "A hundredth of a disk is larger than what one household adds by far.",
)
PAUSED = Metric(
    "folkmoot_node_paused",
    Sort.GAUGE,
    "1 while a person has paused the node",
    "It is one bit, set by a person; nothing is answered then, which the region sees.",
)
PLUGINS_FAILED = Metric(
    "folkmoot_node_plugins_failed",
    Sort.GAUGE,
    "1 if a plugin failed in the last scoring run and its factors are missing",
    "It is one bit, which the region sees as well: rounds wait for a person then.",
)

METRICS = listed(*(value for value in list(globals().values()) if isinstance(value, Metric)))
"""All of them, by name."""


def coarse(seconds: float) -> float:
    """A duration that grows with the number of records, as it may be shown."""
    return float(-(-max(seconds, 0.001) // STEP_SECONDS) * STEP_SECONDS)
