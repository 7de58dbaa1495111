"""Where casework keeps its state, and whether what it needs is installed.

Imports nothing of the extra `casework`: commands ask here first.
"""

from __future__ import annotations

import os
import secrets
from importlib.util import find_spec
from pathlib import Path

from folkmoot_node.settings.casework import CaseworkSettings
from folkmoot_node.settings.node_toml import FILE_NAME, NodeConfig, load_config
from folkmoot_operator.accounts import ROOT
from folkmoot_operator.extras import how_to_install
from folkmoot_operator.groups import is_member
from folkmoot_operator.key_files import KeyFile
from folkmoot_operator.private_files import is_open_to_others, make_private_folder, write_private
from folkmoot_operator.problems import ExitCode, Problem

_NEEDED = ("babel", "fastapi", "folkmoot_web", "govuk_frontend_jinja", "sqlalchemy", "sqlcipher3")
_KEY_BYTES = 32
_LOST_KEY = (
    "Restore it from backup. Without it nobody can read the cases and the log of who looked at "
    "what any more"
)


def casework_of(config: NodeConfig) -> CaseworkSettings:
    """The table `[casework]`.

    Raises:
        Problem: Exit code SETTINGS, if there is none.
    """
    if config.casework is None:
        raise Problem(
            "casework is not set up at this node",
            where=str(config.home / FILE_NAME),
            remedy="Run `folkmoot-node casework init`",
            exit_code=ExitCode.SETTINGS,
        )
    return config.casework


def load_config_as_reader(home: Path) -> NodeConfig:
    """Reads `node.toml` for a program that may run under an account of casework's own.

    The folder is looked at as for the node's account, which owns it. Another account is let in if
    it belongs to the group that `[casework]` names; root is not, since what it leaves nobody else
    could use.

    Raises:
        Problem: As `load_config`.
    """
    folder, account = home.resolve(), os.geteuid()
    owner = folder.stat().st_uid if folder.is_dir() else account
    if account not in (owner, ROOT):
        config = load_config(home, owner=owner)
        if config.readers is not None and is_member(config.readers):
            return config
    return load_config(home)


def policy_path(config: NodeConfig) -> Path:
    """The casework policy."""
    return config.home / casework_of(config).policy


def key_path(config: NodeConfig) -> Path:
    """The key of the encrypted database."""
    return config.casework_folder / "casework.key"


def database_path(config: NodeConfig) -> Path:
    """The encrypted database, unless the settings name PostgreSQL."""
    return config.casework_folder / "casework.sqlite"


def create_key(config: NodeConfig) -> None:
    """Makes the folder and the key of the database.

    Raises:
        FileExistsError: If there is a key: with a new one nobody could read the database.
    """
    make_private_folder(config.casework_folder)
    key = secrets.token_bytes(_KEY_BYTES).hex()
    write_private(key_path(config), f"{key}\n".encode("ascii"), replace=False)


def read_key(config: NodeConfig) -> bytes | None:
    """The key of the database, 32 bytes; None if the database is PostgreSQL.

    Raises:
        Problem: Exit code SETTINGS, if it is missing, damaged or open to others.
    """
    if casework_of(config).database is not None:
        return None
    path = key_path(config)
    key = KeyFile(path, "the key of casework", _LOST_KEY).hexadecimal(_KEY_BYTES)
    if is_open_to_others(path, config.readers):
        raise Problem(
            "the key of casework may be read by other accounts",
            where=str(path),
            remedy=f"Run: chmod {'640' if config.readers is not None else '600'} {path}",
            exit_code=ExitCode.SETTINGS,
        )
    return key


def require_casework() -> None:
    """Checks that what casework needs is installed, without importing it.

    Raises:
        Problem: Exit code SETTINGS, naming what is missing.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise Problem(
            f"casework needs packages that are not installed: {', '.join(missing)}",
            where="the Python environment",
            remedy=f"Install them: {how_to_install('folkmoot-node', 'casework')}",
            exit_code=ExitCode.SETTINGS,
        )
