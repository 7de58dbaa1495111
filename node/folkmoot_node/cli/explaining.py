"""`explain`: why one household has its score, and what a resident who asks is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home, OtherPolicy, Reason
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.console import print_indented, print_json

if TYPE_CHECKING:
    from folkmoot_node.home import NodeHome
    from folkmoot_node.policies.risk_policy import RiskPolicy

_SUBJECT_ACCESS = "subject access request answered"


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command()(explain)


def explain(
    uprn: Annotated[int, typer.Argument(help="Unique property reference number.")],
    home: Home = HERE,
    as_json: AsJson = False,
    policy_file: OtherPolicy = None,
    subject_access: Annotated[
        bool,
        typer.Option(
            "--subject-access",
            help="A resident asks for their own data (UK GDPR article 15): answered with the "
            "score as long as it is kept, and with what is kept for rounds about a past date, "
            "also where there is no score; recorded as such a request.",
        ),
    ] = False,
    reason: Reason = None,
) -> None:
    """Explains one household's score: contributions, inputs, sources, dates.

    For people with the authority to see it; the audit log records that you looked. Exit code 5
    after the policy's last day, and when the scores may be kept no longer, unless a resident
    has asked. Where casework is set up, its policy says who may, its log has an entry before
    anything is shown, and the command needs --reason (exit code 2 without it).

    Example: folkmoot-node explain 100012345678
    """
    from folkmoot_node.home import open_home
    from folkmoot_node.policies.risk_policy import load_policy
    from folkmoot_node.scoring.explain import explain_household
    from folkmoot_node.sources.connect import load_plugins

    with open_home(home) as node:
        policy = load_policy(policy_file or node.config.risk_policy)
        hidden = _hidden_sources(node, uprn, reason, subject_access=subject_access)
        if subject_access:
            _answer_resident(node, policy, uprn, hidden, as_json=as_json)
            return
        with node.open_store_for_use() as store:
            _note_look(node, "household explained")
            with load_plugins(node.config) as plugins:
                found = explain_household(
                    store, node.config, plugins, policy, uprn, today=node.today()
                )
    if hidden:
        from folkmoot_node.casework.opening.sensitive import as_permitted

        found = as_permitted(found, hidden)
    if as_json:
        print_json(found.as_json())
    else:
        print_indented(found.as_text())


def _answer_resident(
    node: NodeHome, policy: RiskPolicy, uprn: int, hidden: frozenset[str], *, as_json: bool
) -> None:
    """Says all that is held: the score, and what rounds about a past date are counted from.

    Either may be there without the other; it is refused only where neither is.
    """
    from folkmoot_node.scoring.explain import explain_household, policy_of
    from folkmoot_node.scoring.held_for_rounds import held_for_rounds
    from folkmoot_node.sources.connect import load_plugins
    from folkmoot_operator.problems import Problem

    held = held_for_rounds(node.config, uprn, node.today())
    if held is not None:
        _note_look(node, _SUBJECT_ACCESS)
    found, without = None, ""
    try:
        with node.open_store_for_use(subject_access=True) as store:
            if held is None:
                _note_look(node, _SUBJECT_ACCESS)
            with load_plugins(node.config) as plugins:
                given = (store, node.config, plugins, policy_of(store.run, policy), uprn)
                found = explain_household(*given, today=node.today())
    except Problem as problem:
        if held is None:
            raise
        without = str(problem)
    if hidden:
        from folkmoot_node.casework.opening.sensitive import as_permitted

        found = found and as_permitted(found, hidden)
        held = held and held.as_permitted(hidden)
    if as_json:
        score = found.as_json() if found else {"uprn": uprn, "no_score": without}
        print_json({**score, "kept_for_rounds": held.as_json() if held else None})
        return
    print_indented(found.as_text() if found else f"Household {uprn}\nNo score: {without}")
    if held:
        print_indented(f"\n{held.as_text()}")


def _note_look(node: NodeHome, action: str) -> None:
    """Writes into the audit log that somebody looks, before there is anything to see."""
    with node.state.transaction() as connection:
        body = {"action": action, **current_operator().as_body()}
        node.audit.append(connection, node.clock(), body)


def _hidden_sources(
    node: NodeHome, uprn: int, reason: str | None, *, subject_access: bool
) -> frozenset[str]:
    """Sources that whoever asks may not see; where casework is set up, its log has the look.

    Raises:
        Problem: Exit code SETTINGS, if what casework needs is not installed: without its log
            nothing is shown.
    """
    if node.config.casework is None:
        return frozenset()
    from folkmoot_node.casework.settings import require_casework

    require_casework()
    from folkmoot_node.casework.command_reading import note_household

    return note_household(
        node.config, uprn, reason, subject_access=subject_access, clock=node.clock
    ).hidden_sources
