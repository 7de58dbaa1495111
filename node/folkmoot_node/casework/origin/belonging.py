"""A database of casework belongs to one node's folder, and serves no other.

The folder and the database have the same random id. Cases of one council would otherwise stand
beside scores of another, where somebody has copied settings or named the wrong PostgreSQL.
"""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import select

from folkmoot_node.casework.ids import new_id
from folkmoot_node.casework.origin.models import OriginRow
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_operator.private_files import write_private
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_web.database.connection import Database

_FILE = "node-id"
_ID = re.compile(r"[0-9a-z]{24}")


def id_path(config: NodeConfig) -> Path:
    """The file with the id of the node's folder."""
    return config.casework_folder / _FILE


def create_id(config: NodeConfig) -> None:
    """Gives the folder an id.

    Raises:
        FileExistsError: If it has one.
    """
    write_private(id_path(config), f"{new_id()}{new_id()}\n".encode("ascii"), replace=False)


def prepare_own(config: NodeConfig, database: Database) -> None:
    """Makes or upgrades the tables of this node's database; closes one that is not this node's.

    Raises:
        Problem: As `require_origin`, and as `Database.prepare`.
    """
    try:
        database.prepare()
        require_origin(config, database)
    except BaseException:
        database.close()
        raise


def require_origin(config: NodeConfig, database: Database) -> None:
    """Checks that a database belongs to this node; one that is new does from now on.

    Args:
        config: The node's settings.
        database: The database, its tables made.

    Raises:
        Problem: Exit code SETTINGS, if it belongs to another node, or the id of the folder is
            missing or damaged.
    """
    own = _read_id(config)
    with database.reading() as session:
        found = session.scalar(select(OriginRow))
    if found is None:
        with database.writing() as session:  # another process may have been faster
            found = session.scalar(select(OriginRow))
            if found is None:
                found = OriginRow(number=1, council=config.council, node_id=own)
                session.add(found)
    if (found.council, found.node_id) != (config.council, own):
        other = (
            f"of {found.council}, and this node is {config.council}"
            if found.council != config.council
            else f"of {found.council} whose folder is another one"
        )
        raise Problem(
            f"the database of casework belongs to a node {other}",
            where=database.address,
            remedy="Name this node's own database in node.toml under [casework]; if the folder "
            f"was moved or restored, restore {id_path(config)} with it",
            exit_code=ExitCode.SETTINGS,
        )


def _read_id(config: NodeConfig) -> str:
    path = id_path(config)
    try:
        found = path.read_text("ascii").strip()
    except (OSError, ValueError):
        found = ""
    if not _ID.fullmatch(found):
        raise Problem(
            "the id of the node's folder is missing or damaged",
            where=str(path),
            remedy="Restore it from backup; it says which database of casework is this node's",
            exit_code=ExitCode.SETTINGS,
        )
    return found
