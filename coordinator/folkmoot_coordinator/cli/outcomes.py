"""`folkmoot-coordinator validate`, `weights` and `equality`: what counts say of a policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot_coordinator.cli.options import HomeOption, JsonOption, open_home
from folkmoot_operator.console import print_json, print_text
from folkmoot_operator.problems import ExitCode, Problem

if TYPE_CHECKING:
    from folkmoot_coordinator.database.connection import Database
    from folkmoot_coordinator.publication.outcome_round import OutcomeRound
    from folkmoot_coordinator.publication.outcome_weights import RegionalWeights
    from folkmoot_coordinator.publication.policy_proposal import Proposal

RoundArgument = Annotated[
    str, typer.Argument(metavar="ROUND", help="A round's id, its beginning, or `latest`.")
]
OutcomeOption = Annotated[
    str,
    typer.Option("--outcome", metavar="NAME", help="Attribute with the codes `no` and `yes`."),
]


def add_to(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.command("validate")(validate)
    app.command("weights")(weights)
    app.command("equality")(equality)


def validate(
    round_: RoundArgument,
    outcome: OutcomeOption,
    by: Annotated[
        str | None,
        typer.Option(
            "--by", metavar="NAME", help="Attribute of groups to judge apart.", show_default=False
        ),
    ] = None,
    home: HomeOption = Path(),
    json_: JsonOption = False,
) -> None:
    """Say how well bands found those to whom an outcome happened, and which councils agree.

    Precision and recall by band, of the region and each council, from the noisy counts of a closed
    round that asked for band by outcome.

    Example: `folkmoot-coordinator validate latest --outcome arrears_order`
    """
    from folkmoot_coordinator.publication.outcome_validation import validate as judge

    asked, _ = _asked(home, round_, outcome)
    found = judge(asked, by)
    if json_:
        print_json(found.facts())
        return
    from folkmoot_coordinator.cli.outcome_text import print_validation

    print_validation(found, open_home(home)[0].settings().names)


def weights(
    round_: RoundArgument,
    outcome: OutcomeOption,
    factor: Annotated[
        list[str] | None,
        typer.Option(
            "--factor",
            metavar="[FACTOR=]ATTRIBUTE",
            help="Attribute of the model (repeat), and which factor of the policy it stands for; "
            "by default all that are counted by the outcome.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Write a proposal of a policy with these weights. Needs the document of the "
            "round's policy: see `policy add`.",
            show_default=False,
        ),
    ] = None,
    councils: Annotated[
        bool, typer.Option("--councils", help="Fit each council alone as well.")
    ] = False,
    home: HomeOption = Path(),
    json_: JsonOption = False,
) -> None:
    """Fit additive weights for an outcome from the noisy tables of a closed round.

    The round asked for factor by outcome and for pairs of factors. Nothing is put in force.

    With --out, bands move with the points where the round shows scores, so that about as many
    households are in each as it counted. Otherwise they start where they did, and the command says
    that they were not fitted, and why.

    Example: `folkmoot-coordinator weights latest --outcome arrears_order --out proposal.toml`
    """
    from folkmoot_coordinator.publication.outcome_weights import regional_weights

    if out is not None:
        from folkmoot_operator.output_places import require_place_for_file

        require_place_for_file(out)
    pairs = _pairs(factor or ())
    asked, database = _asked(home, round_, outcome)
    fitted = regional_weights(asked, list(pairs.values()), each_council=councils)
    stand_for = pairs or {name: name for name in fitted.factors}
    proposal = None if out is None else _write(database, fitted, stand_for, out)
    if json_:
        proposed = proposal and {"file": str(out), **proposal.facts()}
        print_json(fitted.facts() | {"proposal": proposed})
        return
    from folkmoot_coordinator.cli.outcome_text import print_weights

    print_weights(fitted, open_home(home)[0].settings().names)
    if proposal is not None:
        typer.echo()
        for line in proposal.bands.says():
            print_text(line)
        print_text(
            f"The proposal is in {out}. It is not in force: councils back-test it on their own "
            "records first."
        )


def equality(
    round_: RoundArgument,
    by: Annotated[
        str, typer.Option("--by", metavar="NAME", help="Attribute of the groups, such as `sex`.")
    ],
    home: HomeOption = Path(),
    json_: JsonOption = False,
) -> None:
    """Say which share of each group is in each band or a higher one, and which groups differ.

    Of the region and each council, from the noisy counts of a closed round that asked for band by
    group. Differences are corrected for all comparisons.

    Example: `folkmoot-coordinator equality latest --by sex`
    """
    from folkmoot_coordinator.publication.outcome_round import judged_round
    from folkmoot_coordinator.publication.selection_rates import selection_rates

    place, database = open_home(home)
    settings = place.settings()
    found = selection_rates(judged_round(database, settings.region, round_), by)
    if json_:
        print_json(found.facts())
        return
    from folkmoot_coordinator.cli.selection_text import print_selection

    print_selection(found, settings.names)


def _asked(home: Path, round_: str, outcome: str) -> tuple[OutcomeRound, Database]:
    from folkmoot_coordinator.publication.outcome_round import outcome_round

    place, database = open_home(home)
    return outcome_round(database, place.settings().region, round_, outcome), database


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    """By factor of a policy the attribute that stands for it."""
    found: dict[str, str] = {}
    for text in texts:
        factor, _, attribute = (part.strip() for part in text.partition("="))
        if factor in found:
            raise Problem(
                f"{factor[:63]!r} is named twice",
                where="--factor",
                remedy="Name each factor once, with the attribute that stands for it",
                exit_code=ExitCode.USAGE,
            )
        found[factor] = attribute or factor
    return found


def _write(
    database: Database, fitted: RegionalWeights, stand_for: Mapping[str, str], out: Path
) -> Proposal:
    from folkmoot_coordinator.publication.policy_proposal import propose
    from folkmoot_coordinator.publication.table_files import whole_file
    from folkmoot_coordinator.rounds.policies import policy_of
    from folkmoot_operator.output_places import writing_to
    from folkmoot_operator.private_files import publishing

    digest = fitted.asked.stored.round_.policy_digest
    policy = policy_of(database, digest)
    if policy is None:
        raise Problem(
            f"the document of the policy {digest.hex()[:12]} is not here",
            where=fitted.asked.where,
            remedy="Add it with `folkmoot-coordinator policy add FILE`",
            exit_code=ExitCode.REFUSED,
        )
    found = propose(fitted, policy, stand_for)
    with publishing(), writing_to(out), whole_file(out) as temporary:
        temporary.write_text(found.text, encoding="utf-8")
    return found
