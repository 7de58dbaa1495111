"""Opens the site of a region that was rehearsed, with accounts made for it."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
import tomllib
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from folkmoot_operator.network_addresses import split_address
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_rehearsal.layout import Layout
from folkmoot_rehearsal.processes import Children, children

READY_SECONDS = 90.0
"""How long the site may take until it answers."""
_LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the rehearsed region's site.

    Attributes:
        name: What one signs in with.
        shown: Name for people.
        roles: What it may do.
        purpose: That, in words.
        link: Where its password is chosen; None if that was done at an earlier time.
    """

    name: str
    shown: str
    roles: tuple[str, ...]
    purpose: str
    link: str | None = None


ACCOUNTS = (
    Account(
        "analyst@rehearsal.example",
        "An analyst",
        ("analyst",),
        "reads, asks questions, shares out by need",
    ),
    Account(
        "approver@rehearsal.example",
        "An approver",
        ("approver",),
        "reads, and approves questions of others",
    ),
)
"""Two, since whoever asks a question cannot approve it."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A site that is served until the end of `opened`.

    Attributes:
        address: Its address.
        accounts: Who can sign in.
        children: The processes.
    """

    address: str
    accounts: tuple[Account, ...]
    children: Children


@contextlib.contextmanager
def opened(layout: Layout) -> Iterator[Opened]:
    """Serves the coordinator of a rehearsal, with its site, until the end.

    Args:
        layout: The folder of the rehearsal.

    Raises:
        Problem: If there is no finished rehearsal with a site, or it does not start.
    """
    address = _address(layout)
    with children(layout.logs) as kept:
        kept.serve_coordinator(layout.coordinator)
        _wait(address, layout)
        yield Opened(address, tuple(_accounts(layout.coordinator, kept)), kept)


def wait_for_the_end(site: Opened) -> None:
    """Waits until the process that serves ends, or Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt):
        site.children.wait()


def _address(layout: Layout) -> str:
    """Where the site of the rehearsal listens."""
    try:
        text = (layout.coordinator / "coordinator.toml").read_text("utf-8")
        listen = str(tomllib.loads(text)["viewer"]["listen"])
        split_address(listen)
    except (OSError, KeyError, ValueError):
        raise Problem(
            "there is no rehearsed region with a site",
            where=str(layout.root),
            remedy="Rehearse one first: `make demo`, or `folkmoot-rehearse --out FOLDER`",
            exit_code=ExitCode.SETTINGS,
        ) from None
    return f"http://{listen}"


def _wait(address: str, layout: Layout) -> None:
    """Waits until the site answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + READY_SECONDS
    pause = threading.Event()
    while time.monotonic() < end:
        with (
            contextlib.suppress(OSError, http.client.HTTPException),
            opener.open(f"{address}/health", timeout=5) as answer,
        ):
            if answer.status == 200:
                return
        pause.wait(_LOOK_SECONDS)
    raise Problem(
        "the site does not answer",
        where=address,
        remedy=f"Read {layout.logs / 'coordinator-serve.log'}. If another program has the port, "
        f"change `listen` under [viewer] in {layout.coordinator / 'coordinator.toml'}",
        exit_code=ExitCode.UNREACHABLE,
    )


def with_links(
    accounts: Iterable[Account],
    there: Iterable[Mapping[str, Any]],
    add: Callable[[Account], str],
    link: Callable[[Account], str],
) -> Iterator[Account]:
    """Accounts, made if they are missing; a link for those that have no password yet.

    Args:
        accounts: Those that there should be.
        there: Those that there are, as `accounts list --json` says.
        add: Makes one, and gives its link.
        link: Gives another link for one.
    """
    known = {one["name"]: one for one in there}
    for account in accounts:
        if account.name not in known:
            yield replace(account, link=add(account))
        elif not known[account.name]["has_password"]:
            yield replace(account, link=link(account))
        else:
            yield account


def _accounts(home: Path, kept: Children) -> Iterator[Account]:
    def add(account: Account) -> str:
        roles = [word for role in account.roles for word in ("--role", role)]
        words = ("accounts", "add", account.name, *roles, "--shown", account.shown)
        return str(kept.coordinator_secret(home, *words)["link"])

    def link(account: Account) -> str:
        return str(kept.coordinator_secret(home, "accounts", "link", account.name)["link"])

    there = kept.coordinator_json(home, "accounts", "list")
    yield from with_links(ACCOUNTS, there, add, link)
