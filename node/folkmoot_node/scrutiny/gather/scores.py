"""Facts about the last scoring run: households, bands, linkage, quarantine, the equality audit.

Counts over households are the council's own. Nothing is taken that one household decides, such as
the latest record or the home with the most records.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from folkmoot_node.equality.proxy import Progress
from folkmoot_node.equality.report import EqualityReport, audit_equality
from folkmoot_node.evidence.scoring_runs import INCOMPLETE, STOPPED, STORED, UNREACHED
from folkmoot_node.home import NodeHome
from folkmoot_node.linkage.report import SourceLinkage, linkage_report
from folkmoot_node.scrutiny.facts import Fact, Provenance
from folkmoot_node.scrutiny.gather.reporting import Reporter, slug
from folkmoot_node.store.reader import HouseholdStore
from folkmoot_node.store.run_summary import RunSummary
from folkmoot_node.store.source_summary import SourceSummary
from folkmoot_node.store.use import end_of_keeping, end_of_use
from folkmoot_operator.moments import to_datetime, to_text
from folkmoot_operator.problems import Problem

MAX_SAMPLED = 5_000
"""Households that the proxy check looks at here; `folkmoot-node equality` looks at more."""
_ENDS = {STORED: "good", INCOMPLETE: "incomplete", UNREACHED: "unreached", STOPPED: "stopped"}


def score_facts(node: NodeHome, progress: Progress) -> Iterator[Fact]:
    """What the last run did. Without scores, or where they cannot be read, that is missing.

    Args:
        node: The node.
        progress: Called as the equality audit advances.
    """
    store_name = node.config.store_path.name
    place = Provenance(f"{node.config.store_path.parent.name}/{store_name}, table run")
    yield from _history(node)
    try:
        with node.open_store() as store:
            when = to_datetime(store.run.finished_at)
            fact = Reporter(replace(place, when=when))
            yield from _run(node, fact, store.run)
            own = replace(fact, own=True)
            yield from _households(own, store.run)
            yield from _linkage(own, store.run)
            yield from _equality(own, store, progress)
    except Problem:
        fact = Reporter(place)
        yield fact("runs.last.day", "Date as of which households were scored last", None)
        yield fact("households.scored", "Households scored", None)
        yield fact("linkage.share", "Share of records that have found a household", None)
        yield fact("equality.audit", "Equality audit of the last scores", None)


def _history(node: NodeHome) -> Iterator[Fact]:
    fact = Reporter(Provenance("state.sqlite, table audit"))
    ended = dict.fromkeys(_ENDS.values(), 0)
    for entry in node.audit.entries(tuple(_ENDS)):
        ended[_ENDS[str(entry.body["action"])]] += 1
    for name, number in ended.items():
        yield fact(f"runs.ended.{name}", f"Scoring runs that ended: {name}", number)


def _run(node: NodeHome, fact: Reporter, run: RunSummary) -> Iterator[Fact]:
    policy = node.risk_policy()
    day = run.reference_date
    yield fact("runs.last.day", "Date as of which households were scored last", day)
    yield fact("runs.last.id", "Id of the last scoring run", run.run_id)
    finished = to_text(run.finished_at)
    yield fact("runs.last.finished_at", "When the last scoring run ended", finished)
    yield fact("runs.last.policy_sha256", "SHA-256 of the policy that it used", run.policy_sha256)
    is_current = run.policy_digest == policy.digest
    yield fact("runs.last.policy_is_current", "Whether that is the present policy", is_current)
    last = end_of_use(run, policy).last_day
    yield fact("runs.last.usable_until", "Last day on which the scores may be used", last)
    last = end_of_keeping(run, policy).last_day
    yield fact("runs.last.kept_until", "Last day on which the scores may be kept", last)
    failed = [name for one in run.failed for name in one.factors]
    yield fact("runs.last.failed_factors", "Factors unknown since their plugin failed", failed)
    yield fact("runs.last.not_confined", "Plugins that ran in the node's process", run.not_confined)
    unlicensed = sorted(run.unlicensed)
    label = "Bought fields not read, since their licence had ended"
    yield fact("runs.last.unlicensed", label, unlicensed)


def _households(fact: Reporter, run: RunSummary) -> Iterator[Fact]:
    yield fact("households.scored", "Households scored", run.households)
    yield fact("households.incomplete", "Households with some factor unknown", run.incomplete)
    for band, number in run.bands.items():
        yield fact(f"households.bands.{slug(band)}", f"Households in the band {band}", number)
    done = run.corrections
    yield fact("households.withheld", "Households withheld after an objection", done.withheld)
    label = "Values not used after an objection"
    yield fact("households.suppressed", label, done.suppressed)
    yield fact("households.corrected", "Values corrected after an objection", done.corrected)


_LINKAGE = {
    "records": "Records of {}",
    "by_uprn": "Records of {} linked by their own UPRN",
    "by_address": "Records of {} linked by address",
    "by_person": "Records of {} linked by whom they are about",
    "by_review": "Records of {} linked as a person confirmed",
    "ambiguous": "Records of {} that wait for a person's decision",
    "unlinked": "Records of {} whose home was not found",
    "communal": "Records of {} about communal establishments",
    "not_in_frame": "Records of {} about homes outside the council's list",
    "lost": "Records of {} of which nothing could be read",
}


def _linkage(fact: Reporter, run: RunSummary) -> Iterator[Fact]:
    report = linkage_report(run)
    for one, source in zip(report.sources, run.sources, strict=True):
        yield from _of_source(fact, one, source)
    records = sum(one.records for one in report.sources)
    found = sum(one.share * one.records for one in report.sources)
    share = round(found / records, 4) if records else None
    yield fact("linkage.share", "Share of records that have found a household", share)


def _of_source(fact: Reporter, one: SourceLinkage, source: SourceSummary) -> Iterator[Fact]:
    key = f"linkage.{slug(one.source)}"
    for name, label in _LINKAGE.items():
        yield fact(f"{key}.{name}", label.format(one.source), getattr(one, name))
    label = f"Share of records of {one.source} that have found a household"
    yield fact(f"{key}.share", label, round(one.share, 4))
    key = f"quarantine.{slug(one.source)}"
    label = f"Records of {one.source} of which something could not be read"
    yield fact(f"{key}.records", label, one.rejected)
    # Not by field: what a plugin calls a field may come from a file.
    label = f"Values of {one.source} that could not be read"
    yield fact(f"{key}.values", label, sum(source.rejected_fields.values()))


def _equality(fact: Reporter, store: HouseholdStore, progress: Progress) -> Iterator[Fact]:
    label = "Equality audit of the last scores"
    try:
        report = audit_equality(store, most=MAX_SAMPLED, progress=progress)
    except Problem:  # the policy names no field, or the libraries are not installed
        yield fact("equality.audit", label, None)
        return
    yield fact("equality.audit", label, f"as of {report.reference_date}")
    public = replace(fact, own=False)
    yield public("equality.smallest", "Smallest group that is shown", report.smallest)
    not_held = report.not_held
    yield public("equality.not_held", "Fields to be audited that no source holds", not_held)
    yield from _groups(fact, report)


def _groups(fact: Reporter, report: EqualityReport) -> Iterator[Fact]:
    for figures, proxy in zip(report.figures, report.proxy, strict=True):
        key, field = f"equality.{slug(figures.field)}", figures.field
        label = f"Protected characteristic that {field} states"
        yield replace(fact, own=False)(f"{key}.characteristic", label, figures.audit.characteristic)
        groups = {
            one.group: {
                "households": one.households,
                "mean_score": round(one.mean_score, 2),
                "difference": round(one.difference, 2),
                "bands": {
                    band.band: {
                        "share": round(band.share, 4),
                        "low": round(band.interval.low, 4),
                        "high": round(band.interval.high, 4),
                    }
                    for band in one.bands
                },
            }
            for one in figures.groups
        }
        yield fact(f"{key}.groups", f"Scores and bands by {field}", groups)
        label = f"Groups of {field} shown together, since they are small"
        yield fact(f"{key}.together", label, figures.together)
        label = f"Groups of {field} not shown, since they are small"
        yield fact(f"{key}.suppressed", label, figures.suppressed)
        test = figures.test
        words = test and {"cramers_v": round(test.cramers_v, 4), "words": test.words}
        yield fact(f"{key}.association", f"How bands go together with {field}", words)
        auc = {one.group: round(one.auc, 3) for one in proxy.groups}
        label = f"How well the inputs predict {field}: AUC by group, 0.5 is chance"
        yield fact(f"{key}.proxy", label, auc or None)
