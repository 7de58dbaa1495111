"""A note beside the store that the node is paused, for accounts that may not read the state file.

The site of casework may run under such an account. The audit log has the same, and lasts; the
note is made before the log says it, and goes after the log says that the pause has ended, so that
pages are never open while the node is paused.
"""

from __future__ import annotations

import json
from pathlib import Path

from folkmoot_operator.moments import to_text
from folkmoot_operator.private_files import delete_private, make_private_folder, write_private

_MAX_BYTES = 10_000


def note_path(store: Path) -> Path:
    """Where the note is.

    Args:
        store: The encrypted store.
    """
    return store.with_name(store.name + ".paused")


def note_pause(store: Path, at: int, reason: str, readers: int | None = None) -> None:
    """Leaves a note that the node is paused.

    Args:
        store: The encrypted store.
        at: Since when, seconds since 1970-01-01T00:00:00Z.
        reason: Why, for people.
        readers: Number of a group that may read the note too; None for nobody.
    """
    make_private_folder(store.parent)
    content = json.dumps({"since": to_text(at), "reason": reason}).encode()
    write_private(note_path(store), content, replace=True, readers=readers)


def forget_pause(store: Path) -> None:
    """Removes the note; it is no error if there is none."""
    if note_path(store).parent.is_dir():
        delete_private(note_path(store))


def noted_pause(store: Path) -> str | None:
    """Since when and why the node is paused, for people; None if it is not.

    A note that cannot be read means that the node is paused.
    """
    path = note_path(store)
    try:
        text = path.read_bytes()[:_MAX_BYTES]
    except FileNotFoundError:
        return None
    except OSError:
        return "why cannot be read"
    try:
        body = json.loads(text)
        return f"since {body['since']}: {body['reason']}"
    except (ValueError, KeyError, TypeError):
        return "why cannot be read"
