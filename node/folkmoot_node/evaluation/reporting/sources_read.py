"""What the report says of the records: what was judged, read and left out, and what may leak."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from folkmoot_node.evaluation.back_test import BackTest
from folkmoot_node.evaluation.measures.evaluation import Evaluation
from folkmoot_node.evaluation.reporting.document import Block, Sheet, Words
from folkmoot_node.evaluation.reporting.wording import count, listed, on, percent
from folkmoot_node.evaluation.snapshot import Leak


@dataclass(frozen=True, slots=True)
class About:
    """What was judged, and by what.

    Attributes:
        policy: Name of the risk stratification policy.
        policy_sha256: Digest of its file, hexadecimal.
        evaluation_sha256: Digest of the evaluation file, hexadecimal.
    """

    policy: str
    policy_sha256: str
    evaluation_sha256: str

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "policy": self.policy,
            "policy_sha256": self.policy_sha256,
            "evaluation_sha256": self.evaluation_sha256,
        }


def leak_warnings(done: BackTest) -> Iterator[str]:
    """A sentence for each input or factor that nearly equals an outcome."""
    found: dict[tuple[str, str, str], list[tuple[datetime.date, Leak]]] = {}
    for one in done.read:
        for leak in one.leaks:
            key = (leak.outcome, leak.kind, leak.name)
            found.setdefault(key, []).append((one.date, leak))
    for (outcome, kind, name), seen in found.items():
        date, last = seen[-1]
        dates = "" if len(done.read) == 1 else f" ({len(seen)} of {len(done.read)} dates)"
        yield (
            f"The {kind} {name} may know the outcome {outcome}: on {on(date)} {last.reason}{dates}."
            " If it was recorded after the event, the figures say nothing. Look at its source."
        )


def undated_warnings(found: Evaluation) -> Iterator[str]:
    """A sentence about sources that are read as they are today; none without."""
    undated = sorted({name for one in found.dates for name in one.undated})
    if undated:
        yield (
            "Read as they are today, since they say no dates and the file accepts that: "
            f"{listed(undated)}. They may know what was not known on the dates."
        )


def what_was_read(done: BackTest, about: About) -> Iterator[Block]:
    """Policy and file by digest, and what of the sources was left out for each date."""
    found = done.found
    yield Words(
        f"Policy {about.policy!r}, SHA-256 {about.policy_sha256}. Evaluation file, SHA-256 "
        f"{about.evaluation_sha256}. Seed {found.seed}; {found.resamples:,} bootstrap samples."
    )
    days = [one.date.isoformat() for one in found.dates]
    yield from _left_out(
        "Records that were not read, since they are dated later",
        days,
        [one.left_out for one in found.dates],
    )
    yield from _left_out(
        "Records that were not read, since they have no date",
        days,
        [one.without_date for one in done.read],
    )
    yield from _left_out(
        "Records with events of homes that were no household on the date",
        days,
        [one.not_in_frame for one in done.read],
    )
    if any(one.withheld for one in done.read):
        yield Words(
            "Households whose objection to being scored was upheld are in no figure: "
            + listed(f"{count(one.withheld)} on {on(one.date)}" for one in done.read)
            + "."
        )
    yield Sheet(
        "Households in each band",
        ("Date", "Scored", *(one.band for one in found.bands)),
        tuple(
            (
                judgement.date.isoformat(),
                count(judgement.households),
                *(percent(one.shares[at]) for one in found.bands),
            )
            for at, judgement in enumerate(found.dates)
        ),
    )


def _left_out(
    caption: str, days: Sequence[str], records: Sequence[Mapping[str, int]]
) -> Iterator[Block]:
    """A table of records by date and source; nothing if there are none."""
    sources = sorted({name for one in records for name, number in one.items() if number})
    if sources:
        yield Sheet(
            caption,
            ("Date", *sources),
            tuple(
                (day, *(count(one.get(name, 0)) for name in sources))
                for day, one in zip(days, records, strict=True)
            ),
        )
