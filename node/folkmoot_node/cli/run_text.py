"""What `score` prints for people: a run, or what a policy would change."""

from __future__ import annotations

from rich.table import Column, Table

from folkmoot_node.pipeline.dry_run import Trial
from folkmoot_node.sources.quarantine import reasons_in_words
from folkmoot_node.store.run_summary import RunSummary
from folkmoot_node.store.source_summary import SourceSummary, share_in_words
from folkmoot_operator.console import console
from folkmoot_operator.tables import print_table


def print_trial(trial: Trial) -> None:
    """Prints what a policy would change.

    Args:
        trial: The run aside, and what it is compared with.
    """
    out = console()
    run, last = trial.run, trial.last
    if last is None:
        _print_bands(run)
        out.print(
            f"Tried {run.policy_name!r} on {run.households:,} households. There are no scores "
            "that may be compared with them, and none were stored."
        )
        return
    columns = list(dict.fromkeys([*run.band_names, *(move.now for move in trial.moves)]))
    rows = list(dict.fromkeys(move.before for move in trial.moves))
    count = {(move.before, move.now): move.households for move in trial.moves}
    table = Table(
        Column("Last run \\ tried", overflow="fold"),
        *(Column(band, justify="right") for band in columns),
        title="Households by band in the last run and by band as tried",
        title_justify="left",
    )
    for before in rows:
        table.add_row(before, *(f"{count.get((before, now), 0):,}" for now in columns))
    print_table(table, out)
    both = sum(n for (one, other), n in count.items() if "(not scored)" not in (one, other))
    out.print(
        f"{trial.changed:,} of {both:,} households would change band "
        f"({trial.changed / max(1, both):.1%}). Last run: {last.policy_name!r} "
        f"({last.policy_sha256[:12]}), at {last.reference_date}; tried: {run.policy_name!r} "
        f"({run.policy_sha256[:12]}), at {run.reference_date}. "
        "The sources were read again, so records changed since the last run count too. The "
        "stored scores have not changed.",
        markup=False,
    )


def _print_bands(summary: RunSummary) -> None:
    largest = max(summary.bands.values(), default=0) or 1
    bands = Table("Band", "Households", "Share", "")
    for band, number in summary.bands.items():
        share = number / max(1, summary.households)
        bands.add_row(band, f"{number:,}", f"{share:.1%}", "█" * round(30 * number / largest))
    print_table(bands)


def print_summary(summary: RunSummary) -> None:
    """Prints what a run did.

    Args:
        summary: The run.
    """
    out = console()
    shown = {
        "Records": "records",
        "Not read": "rejected",
        "Linked": "linked",
        "By address": "by_address",
        "By person": "by_person",
        "By review": "by_review",
        "Communal": "communal",
        "Ambiguous": "ambiguous",
        "No UPRN": "no_uprn",
        "Not in frame": "not_in_frame",
    }
    always = {"records", "rejected", "linked", "no_uprn", "not_in_frame"}
    # Councils that link nothing see nothing of linkage.
    columns = {
        title: key
        for title, key in shown.items()
        if key in always or any(getattr(source, key) for source in summary.sources)
    }
    table = Table("Source", *columns, "Found a home")
    for source in summary.sources:
        found = "" if source.about_areas else share_in_words(source.share_linked)
        figures = (f"{getattr(source, key):,}" for key in columns.values())
        table.add_row(source.name, *figures, found)
    print_table(table, out)
    for source in summary.sources:
        by = source.accepted
        until = f" (accepted by {by.by} until {by.until}: {by.reason})" if by else ""
        for doubt in source.doubts:
            out.print(f"Note: {source.name}: {doubt}{until}", markup=False)
    if any(source.ambiguous for source in summary.sources):
        out.print("Some records wait for clerical review: see `folkmoot-node linkage review`.")
    for source in summary.sources:
        for reason, number in source.left_out.items():
            out.print(f"{source.name}: records not kept: {number:,} ({reason})", markup=False)
        for note in source.notes:
            out.print(f"{source.name}: {note}", markup=False)
    for text in summary.not_confined:
        out.print(f"Note: {text}.", markup=False)
    _print_bands(summary)
    out.print(f"Scored {summary.households:,} households. These figures stay on this machine.")
    for line in summary.corrections.in_words:
        out.print(line, markup=False)
    for source in summary.sources:
        _print_rejections(source)
    if summary.quarantine:
        out.print("Rejected records: " + ", ".join(str(path) for path in summary.quarantine))


def _print_rejections(source: SourceSummary) -> None:
    reasons = [(one.field, one.reason, one.values) for one in source.rejected_reasons]
    for line in reasons_in_words(reasons):
        console().print(f"{source.name}: not read: {line}", markup=False)
