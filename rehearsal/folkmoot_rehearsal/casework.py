"""Opens the casework site of a rehearsed council's node, with accounts made for it."""

from __future__ import annotations

import contextlib
import datetime
import tomllib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_rehearsal.layout import Layout
from folkmoot_rehearsal.processes import Children, children
from folkmoot_rehearsal.viewing import Account, Opened, with_links

LISTEN = "127.0.0.1:8444"
"""Where the site listens, unless the node's settings say so already."""
SIGNER = "The rehearsal, in the place of the council's data protection officer"
_SENSITIVE = ("domestic_abuse", "childrens_services")
_OPENINGS = (
    ("sensitive_sources = []", f"sensitive_sources = [{', '.join(map(repr, _SENSITIVE))}]"),
    (
        'may = ["lists", "open", "rights", "restrict", "export", "measure"]',
        'may = ["lists", "open", "rights", "restrict", "export", "measure"]\n'
        f"sources = [{', '.join(map(repr, _SENSITIVE))}]",
    ),
    ('# node_account = ["protection_officer"]', 'node_account = ["manager", "protection_officer"]'),
)
"""What the rehearsal changes in the sample policy: its sources, who answers residents from all of
them, and that it may run commands."""
ACCOUNTS = (
    Account(
        "manager@rehearsal.example",
        "A team manager",
        ("manager",),
        "makes cohorts, decides who is contacted, gives out work, measures",
    ),
    Account(
        "caseworker@rehearsal.example",
        "A caseworker",
        ("caseworker",),
        "opens households, contacts them, refers them",
    ),
    Account(
        "protection.officer@rehearsal.example",
        "A data protection officer",
        ("protection_officer",),
        "answers residents, restricts households, writes files",
    ),
    Account(
        "auditor@rehearsal.example",
        "An auditor",
        ("auditor",),
        "sees who looked at what, when and why",
    ),
)
"""Four, since nobody does all of it."""


@contextlib.contextmanager
def casework_opened(layout: Layout, listen: str = LISTEN) -> Iterator[Opened]:
    """Serves the casework site of the first node of a rehearsal until the end.

    The first time, casework is set up there: a policy that the rehearsal signs, the cohort of the
    worked example with its first run, and invented services.

    Args:
        layout: The folder of the rehearsal.
        listen: Where the site listens, if it is set up now.

    Raises:
        Problem: If there is no rehearsed node, or a command fails.
    """
    home = _first_home(layout)
    with children(layout.logs) as kept:
        council = home.name
        if "casework" not in tomllib.loads((home / "node.toml").read_text("utf-8")):
            _set_up(kept, council, home, listen)
        accounts = tuple(_accounts(kept, council, home))
        address = kept.serve_casework(council, home)
        yield Opened(address, accounts, kept)


def _first_home(layout: Layout) -> Path:
    found = sorted(layout.root.glob("councils/*/node.toml"))
    if not found:
        raise Problem(
            "there is no rehearsed node",
            where=str(layout.root),
            remedy="Rehearse one first: `make casework`, or `folkmoot-rehearse --councils "
            "E09000002 --node-alone --out FOLDER`",
            exit_code=ExitCode.SETTINGS,
        )
    return found[0].parent


def _set_up(kept: Children, council: str, home: Path, listen: str) -> None:
    kept.node(council, home, "casework", "init", "--listen", listen)
    policy = home / "casework-policy.toml"
    text = policy.read_text("utf-8")
    for before, after in _OPENINGS:
        if before not in text:
            raise ValueError(f"the sample policy has no line {before!r} any more")
        text = text.replace(before, after)
    policy.write_text(text, "utf-8")
    kept.node(council, home, "casework", "policy", "sign", "--signer", SIGNER)
    ends = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=180)
    cohort = home / "casework-cohort.toml"
    cohort.write_text(_document(cohort.name).replace("@ENDS@", ends.isoformat()), "utf-8")
    saved = kept.node_json(council, home, "casework", "cohort", "save", str(cohort))
    kept.node(council, home, "casework", "cohort", "run", saved["cohort_id"])
    services = home / "casework-services.json"
    services.write_text(_document(services.name), "utf-8")
    kept.node(council, home, "casework", "services", "import", str(services))


def _accounts(kept: Children, council: str, home: Path) -> Iterator[Account]:
    command = ("casework", "accounts")
    there = kept.node_json(council, home, *command, "list")

    def add(account: Account) -> str:
        roles = [word for role in account.roles for word in ("--role", role)]
        words = (*command, "add", account.name, *roles, "--shown", account.shown)
        return str(kept.node_secret(council, home, *words)["link"])

    def link(account: Account) -> str:
        return str(kept.node_secret(council, home, *command, "link", account.name)["link"])

    yield from with_links(ACCOUNTS, there, add, link)


def _document(name: str) -> str:
    return resources.files("folkmoot_rehearsal").joinpath("documents", name).read_text("utf-8")
