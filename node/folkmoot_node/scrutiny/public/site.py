"""Writes the public page, its feed and the same for programs into a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from folkmoot.public_facts import PUBLIC_FACTS
from folkmoot_node.home import NodeHome
from folkmoot_node.scrutiny.approval import approvals, require_approval
from folkmoot_node.scrutiny.approved_facts import approvable
from folkmoot_node.scrutiny.differences import differences
from folkmoot_node.scrutiny.facts import FactBase
from folkmoot_node.scrutiny.public.atom_feed import as_feed
from folkmoot_node.scrutiny.public.page import FACTS, FEED, Published, as_page
from folkmoot_node.scrutiny.public.publishable import publishable
from folkmoot_node.scrutiny.public.releases_made import releases_made
from folkmoot_node.scrutiny.public.versions import Version, versions_of
from folkmoot_operator.moments import to_text
from folkmoot_operator.output_places import require_no_link, writing_to
from folkmoot_operator.private_files import publishing, write_published
from folkmoot_operator.problems import ExitCode, Problem

PAGE = "index.html"


def checked_address(address: str) -> str:
    """The address of the published folder, which ends with a slash; empty stays empty.

    Raises:
        Problem: Exit code USAGE, if it is no address of a web site.
    """
    if not address:
        return ""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise Problem(
            f"{address[:200]!r} is no address of a folder on a web site",
            where="--address",
            remedy="Give it as https://www.example.gov.uk/scoring/",
            exit_code=ExitCode.USAGE,
        )
    return address if address.endswith("/") else f"{address}/"


def to_publish(node: NodeHome, base: FactBase) -> Published:
    """What the page shows of a node.

    Args:
        node: The node.
        base: Its facts now.

    Raises:
        Problem: Exit code DATA, if nothing was approved yet; VERIFICATION, if what was approved
            is missing, or is not what the audit log names.
    """
    last, now = require_approval(node), approvable(base, str(node.config.council))
    changed, open_facts = differences(last.facts, now), publishable(now)
    shown = differences(publishable(last.facts), open_facts)
    told = {key for one in shown for key in one.facts}
    return Published(
        node.config.name,
        open_facts,
        shown,
        any(key not in told for one in changed for key in one.facts),
        versions_of(approvals(node)),
        releases_made(node),
        node.clock(),
    )


def write_site(published: Published, folder: Path, address: str = "") -> tuple[Path, ...]:
    """Writes page, feed and facts, for all to read; replaces what is there.

    Args:
        published: What is shown.
        folder: Where; made if it is missing.
        address: Where the folder will be published; see `as_feed`.

    Returns:
        The files.

    Raises:
        Problem: Exit code USAGE, if a file is a link: who serves the folder may have laid it.
        UnusableFile: If the folder cannot be written to.
    """
    council = published.facts.council
    contents = {
        PAGE: as_page(published).encode(),
        FEED: as_feed(council, published.council, published.versions, address),
        FACTS: as_json(published),
    }
    with writing_to(folder), publishing():
        folder.mkdir(parents=True, exist_ok=True)
        for name in contents:
            require_no_link(folder / name)
        for name, content in contents.items():
            write_published(folder / name, content)
    return tuple(folder / name for name in contents)


def as_json(published: Published) -> bytes:
    """The same for programs: the same content gives the same bytes."""
    body = {
        "layout": PUBLIC_FACTS,
        "council": published.facts.council,
        "name": published.council,
        "made_at": to_text(published.made_at),
        "facts": [
            {"key": one.key, "label": one.label, "value": one.value, "mark": one.mark.value}
            for one in published.facts.by_key.values()
        ],
        "changes_since_approval": [one.as_json() for one in published.changes],
        "unpublished_changes_since_approval": published.unpublished_changes,
        "releases": [
            {
                "round_id": one.round_id,
                "title": one.title,
                "purpose": one.purpose,
                "answered_at": to_text(one.at),
                "rho": one.loss,
                "epsilon": one.epsilon,
                "delta": one.delta,
                "counted": list(one.counted),
                "sha256": one.sha256,
            }
            for one in published.releases
        ],
        "versions": [_version(one) for one in published.versions],
    }
    return (json.dumps(body, indent=1, ensure_ascii=False) + "\n").encode()


def _version(version: Version) -> dict[str, Any]:
    return {
        "number": version.number,
        "approved_at": to_text(version.at),
        "reason": version.reason,
        "facts_sha256": version.facts_sha256,
        "changes": [one.as_json() for one in version.changes],
    }
