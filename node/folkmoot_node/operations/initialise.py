"""Makes a node's home folder."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from itertools import pairwise
from pathlib import Path

from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.federation.identity import KeyFiles, create_policy_key
from folkmoot_node.operations.sample_policy import policy_of_profiles
from folkmoot_node.settings.node_toml import (
    FILE_NAME,
    STATE_FILE,
    NodeConfig,
)
from folkmoot_node.settings.scoring import require_place_for_store
from folkmoot_node.store.encrypted_file import create_key
from folkmoot_operator.moments import usual_sunset
from folkmoot_operator.ownership import Holdings, is_own_file, require_own
from folkmoot_operator.private_files import (
    close_to_others,
    make_private_folder,
    write_private,
)
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import require_text

RELEASE_POLICY_FILE = "release-policy.toml"
RISK_POLICY_FILE = "risk-policy.toml"
_FOLDERS = ("keys", "mappings", "extracts", "quarantine", "store")
_UNDECIDED = "# to be decided by the council: write a number and remove the first hash\n# "


def initialise(
    home: Path,
    council: str,
    name: str,
    per_round: str | None,
    per_period: str | None,
    lifetime: str | None,
) -> str:
    """Makes the folder with keys, empty state and sample settings; says what was made.

    Policies that are in the folder already stay as they are.

    Args:
        home: The folder; made if it is missing.
        council: GSS code.
        name: Name of the council.
        per_round: Limit of rho for one round, or None to leave it undecided.
        per_period: Limit of rho for a period, or None to leave it undecided.
        lifetime: Limit of rho for all time, or None to leave it undecided.

    Raises:
        Problem: If the folder holds a node already; nothing in it is changed.
        ContractError: If the code or a limit is wrong; nothing is made.
    """
    code = GssCode(council.strip().upper(), "--council")
    if not name.strip() or not name.isprintable() or '"' in name or "\\" in name:
        raise ContractError("--name", "is empty or has a quote in it", "Give the council's name")
    options = {
        "--rho-per-round": per_round,
        "--rho-per-period": per_period,
        "--rho-lifetime": lifetime,
    }
    limits = {
        option: None if value is None else Rho.of(value, option)
        for option, value in options.items()
    }
    _check_order([(option, limit) for option, limit in limits.items() if limit is not None])
    require_text(home.resolve())
    require_place_for_store(home.resolve())
    for existing in (home / FILE_NAME, home / STATE_FILE, home / "keys"):
        if existing.exists():
            raise Problem(
                "there is a node here already",
                where=str(existing),
                remedy="Choose another folder. Do not delete this one: its ledger says what "
                "was spent",
                exit_code=ExitCode.SETTINGS,
            )
    if home.exists():
        require_own(Holdings(home.resolve()), closed=False)
    make_private_folder(home, tighten=True)
    for folder in _FOLDERS:
        make_private_folder(home / folder, tighten=True)
    values = {
        "@COUNCIL@": code,
        "@NAME@": name.strip(),
        "@SUNSET@": usual_sunset(datetime.datetime.now(datetime.UTC).date()).isoformat(),
        "@PER_ROUND@": _limit("per_round", limits["--rho-per-round"]),
        "@PER_PERIOD@": _limit("per_period", limits["--rho-per-period"]),
        "@LIFETIME@": _limit("lifetime", limits["--rho-lifetime"]),
    }
    sample = policy_of_profiles()
    values["@ATTRIBUTES@"] = listed(sample.attributes)
    for file in (FILE_NAME, RISK_POLICY_FILE, RELEASE_POLICY_FILE):
        shipped = resources.files(__package__).joinpath("templates", file)
        text = sample.text if file == RISK_POLICY_FILE else shipped.read_text("utf-8")
        for placeholder, value in values.items():
            text = text.replace(placeholder, value)
        if not (home / file).exists():
            write_private(home / file, text.encode(), replace=False)
    _close_policies(home)
    create_key(home / "keys" / "store.key")
    create_policy_key(KeyFiles(home / "keys"))
    StateDatabase(home / STATE_FILE, create=True).close()
    return f"Made a node for {name.strip()} ({code}) in {home}."


def next_steps(
    *, signed: bool, enrolled: bool, described: bool = False, home: Path = Path()
) -> Iterator[str]:
    """What an operator does with a new node, as lines.

    Args:
        signed: Whether the release policy is signed.
        enrolled: Whether the node has joined a region.
        described: Whether its extracts are described.
        home: The node's folder, as the operator has named it.
    """
    at = "" if home == Path() else f" --home {home}"
    steps = []
    if described:
        steps.append(
            f"Answer each QUESTION in node.toml and mappings/; `folkmoot-node sources check{at}`."
        )
        steps.append(f"`folkmoot-node score --try{at}`, then `folkmoot-node score{at}`.")
        steps.append(f"`folkmoot-node explain UPRN{at}` says why a household has its score.")
    else:
        steps.append("Describe your extracts in mappings/ and name them in node.toml.")
    if not signed:
        steps.append(
            "Read risk-policy.toml and release-policy.toml; decide; `folkmoot-node policy sign "
            f'--signer "NAME, ROLE"{at}`.'
        )
    if not enrolled:
        steps.append(f"Join a region: `folkmoot-node enrol INVITATION{at}`.")
    serve = f"`folkmoot-node serve{at}`."
    steps.append(serve if described else f"`folkmoot-node score{at}`, then {serve}")
    yield "Next:"
    for number, step in enumerate(steps, start=1):
        yield f"  {number}. {step}"
    yield "`serve` deletes what is past the retention rule in risk-policy.toml, also extracts that"
    yield 'a good run has read. With purge = "manual" there, a person does: `folkmoot-node purge`.'
    yield "Back up the node with `folkmoot-node backup`, once [backup] in node.toml names who can"
    yield "open backups: the ledger in state.sqlite must never be lost or go back in time."


def name_coordinator(config: NodeConfig, address: str, enrolment_address: str) -> str:
    """Writes the coordinator's addresses into node.toml, unless some are there.

    Returns:
        A note for the operator, or an empty string.
    """
    path = config.home / FILE_NAME
    settings = config.coordinator
    if settings is None:
        with path.open("a", encoding="utf-8") as file:
            file.write(
                "\n[coordinator]\n"
                f'address = "{address}"\n'
                f'enrolment_address = "{enrolment_address}"\n'
                "# poll_seconds = 30\n"
                '# proxy = "http://proxy.example.gov.uk:8080"\n'
            )
        return ""
    if (settings.address, settings.enrolment_address) != (address, enrolment_address):
        return (
            f"Note: {path.name} names {settings.address} and {settings.enrolment_address}; "
            f"the invitation says {address} and {enrolment_address}. The file was left as it is."
        )
    return ""


def listed(names: Iterable[str]) -> str:
    """Names as the inside of a TOML list."""
    return ", ".join(f'"{name}"' for name in names)


def _close_policies(home: Path) -> None:
    """Closes to others the policies that were laid into the folder before; root's stay."""
    for name in (RISK_POLICY_FILE, RELEASE_POLICY_FILE, f"{RELEASE_POLICY_FILE}.sig"):
        if is_own_file(home / name):
            close_to_others(home / name)


def _check_order(limits: Sequence[tuple[str, Rho]]) -> None:
    """Raises ContractError unless each limit is at least the one before."""
    for (lesser, least), (greater, limit) in pairwise(limits):
        if limit < least:
            raise ContractError(
                greater, f"is smaller than {lesser}", "Give at least as much as for that"
            )


def _limit(key: str, rho: Rho | None) -> str:
    return f"{_UNDECIDED}{key} = " if rho is None else f"{key} = {rho}"
