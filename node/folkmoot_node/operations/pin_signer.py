"""Pinning the signer of the release policy: root decides whose signature counts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from folkmoot_node.federation.identity import KeyFiles
from folkmoot_node.policies.trusted_signer import pin_path, pinned_signer, read_public_key
from folkmoot_node.settings.node_toml import load_config
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.root_files import commands_for_root, write_root_file


def pin_signer(folder: Path, key: Path | None, *, replace: bool) -> Iterator[str]:
    """Pins a public key for the node in a folder, or says how root does; nothing in it is written.

    Args:
        folder: The node's folder, as `serve` is told it.
        key: File of the public key; the one in the folder if None.
        replace: Whether a key that is pinned already gives way.

    Yields:
        What was done, or is to be done, as lines.

    Raises:
        Problem: If the key cannot be read, or another one is pinned.
    """
    files = KeyFiles.of(load_config(folder).home)
    public = read_public_key(key or files.policy_public_key)
    pinned, place = pinned_signer(folder), pin_path(folder)
    if pinned is not None and pinned.key == public:
        yield f"Pinned already: {pinned}"
    elif pinned is not None and not replace:
        raise Problem(
            f"another key is pinned: {pinned.key.hex()}",
            where=str(pinned.where),
            remedy="Ask the person who decides; then use --replace",
            exit_code=ExitCode.REFUSED,
        )
    elif os.geteuid() != 0:
        yield f"Only root can pin a signer. To pin {public.hex()}, root types:"
        yield from (f"  {command}" for command in commands_for_root(place, public.hex()))
    else:
        place = pinned.where if pinned else place
        write_root_file(place, f"{public.hex()}\n".encode())
        yield f"Pinned {public.hex()} in {place}."
    if files.policy_key.exists():
        yield (
            f"Take {files.policy_key} off this machine: as long as it lies there, the node's "
            "account can sign. `policy sign --key FILE` signs with a key kept elsewhere."
        )
