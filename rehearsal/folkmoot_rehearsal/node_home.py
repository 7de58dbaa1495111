"""The home of a rehearsed council's node: its residents, its policies, its sources."""

from __future__ import annotations

import datetime
from typing import Any

from folkmoot_rehearsal import policies, synthesis
from folkmoot_rehearsal.councils import Council
from folkmoot_rehearsal.layout import Layout
from folkmoot_rehearsal.policies import Limits
from folkmoot_rehearsal.processes import Children
from folkmoot_rehearsal.synthesis import Recipe, Written


def draw(council: Council, recipe: Recipe, layout: Layout) -> Written:
    """Makes a council's residents, and its extracts in what will be its node's home."""
    return synthesis.write(council, recipe, layout.home(council), layout.truth(council))


def make(
    council: Council,
    written: Written,
    recipe: Recipe,
    layout: Layout,
    children: Children,
    limits: Limits,
    *,
    enrol: bool,
    link: bool,
) -> None:
    """Writes a council's policies, and makes its node: signed by a person, with its sources.

    Args:
        council: The council.
        written: What `draw` wrote.
        recipe: What it was drawn by.
        layout: The folder of the rehearsal.
        children: Runs the node's commands.
        limits: What the council lets its households lose.
        enrol: Whether the node joins the region that has invited it.
        link: Whether it links records without a UPRN.

    Raises:
        Problem: If a command fails; names the log to read.
    """
    home, code = layout.home(council), str(council.code)
    today = datetime.datetime.now(datetime.UTC).date()
    (home / policies.POLICY_FILE).write_text(policies.risk_policy(today, recipe.outcomes), "utf-8")
    (home / "release-policy.toml").write_text(
        policies.release_policy(council, limits, today, outcomes=recipe.outcomes is not None),
        "utf-8",
    )
    children.node(
        code, home, "init", "--council", code, "--name", council.name,
        "--sign", f"Data Protection Officer, {council.name}",
        *(("--enrol", str(layout.invitation(council))) if enrol else ()),
    )  # fmt: skip
    with (home / "node.toml").open("a", encoding="utf-8") as file:
        file.write(policies.node_sources(written.sources, link=link))


def score(council: Council, recipe: Recipe, layout: Layout, children: Children) -> dict[str, Any]:
    """Scores a council's households; gives what `score --json` says."""
    # Only a rehearsal may look at the exact figures of all councils at once.
    summary: dict[str, Any] = children.node_json(
        str(council.code), layout.home(council), "score",
        "--reference-date", recipe.today.isoformat(),
        "--households", str(layout.scored(council)),
    )  # fmt: skip
    return summary
