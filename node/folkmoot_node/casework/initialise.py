"""Sets casework up at a node."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from folkmoot_node.casework.authority.policy import SAMPLE
from folkmoot_node.casework.origin.belonging import create_id, id_path
from folkmoot_node.casework.settings import create_key, key_path
from folkmoot_node.settings.node_toml import FILE_NAME, load_config
from folkmoot_operator.moments import usual_sunset
from folkmoot_operator.problems import ExitCode, Problem

_SETTINGS = """
[casework]
listen = "127.0.0.1:8444"
policy = "casework-policy.toml"
"""


@dataclass(frozen=True, slots=True)
class Made:
    """What was written.

    Attributes:
        policy: The sample policy, or the one that was there.
        settings: The settings file.
    """

    policy: Path
    settings: Path


def initialise(home: Path, *, listen: str = "") -> Made:
    """Adds `[casework]` to node.toml, a sample policy and a key; keeps what is there.

    Args:
        home: The node's folder.
        listen: Address and port of the site; a usual one if empty.

    Raises:
        Problem: Exit code SETTINGS, if casework is set up already.
    """
    config = load_config(home)
    settings = config.home / FILE_NAME
    if config.casework is not None:
        raise Problem(
            "casework is set up already",
            where=str(settings),
            remedy="Run `folkmoot-node casework serve`",
            exit_code=ExitCode.SETTINGS,
        )
    text = _SETTINGS.replace("127.0.0.1:8444", listen) if listen else _SETTINGS
    settings.write_text(settings.read_text("utf-8").rstrip() + "\n" + text, encoding="utf-8")
    config = load_config(home)
    policy = config.home / "casework-policy.toml"
    if not policy.exists():
        sunset = usual_sunset(datetime.datetime.now(datetime.UTC).date())
        policy.write_text(SAMPLE.format(council=config.council, sunset=sunset), encoding="utf-8")
    if not key_path(config).exists():
        create_key(config)
    if not id_path(config).exists():
        create_id(config)
    return Made(policy, settings)
