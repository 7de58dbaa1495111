"""Other addresses of the coordinator in a `node.toml` that names some already."""

from __future__ import annotations

import re

from folkmoot_node.settings.node_toml import FILE_NAME, NodeConfig, NodeSettings
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import parse, read

_TABLE = re.compile(r"\s*\[\s*coordinator\s*\]")
_KEY = re.compile(r"(\s*(address|enrolment_address)\s*=\s*)(\"[^\"]*\"|'[^']*')")


def settings_naming(config: NodeConfig, address: str, enrolment_address: str) -> str | None:
    """The text of node.toml with other addresses of the coordinator, and all else as it is.

    Returns:
        The text; None if the file names no coordinator yet.

    Raises:
        Problem: If the file is written so that a person has to change it.
    """
    if config.coordinator is None:
        return None
    path = config.home / FILE_NAME
    new = {"address": address, "enrolment_address": enrolment_address}
    lines, here = [], False
    for line in read(path).decode("utf-8-sig").splitlines(keepends=True):
        if line.lstrip().startswith("["):
            here = _TABLE.match(line) is not None
        if here and (key := _KEY.match(line)):
            line = f'{key[1]}"{new[key[2]]}"{line[key.end() :]}'
        lines.append(line)
    text = "".join(lines)
    wanted = config.settings.model_copy(
        update={"coordinator": config.coordinator.model_copy(update=new)}
    )
    if parse(NodeSettings, text.encode(), str(path)) != wanted:
        raise Problem(
            "the coordinator's addresses cannot be replaced in this file",
            where=str(path),
            remedy=f'Write address = "{address}" and enrolment_address = "{enrolment_address}" '
            "into [coordinator] yourself, then run the command again",
            exit_code=ExitCode.SETTINGS,
        )
    return text
