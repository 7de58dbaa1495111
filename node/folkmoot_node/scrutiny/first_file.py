"""The `scrutiny.toml` to begin with: every question, and no answer."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from folkmoot_node.scrutiny.scrutiny_file import (
    Impact,
    Risk,
    ScrutinyDocument,
    SourceAnswers,
    Supplier,
    scrutiny_path,
)
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import Settings
from folkmoot_sdk.schema import ProtectedCharacteristic

_HEAD = """\
# What no program knows of this node. Take the # away from what you answer, and leave the rest: what
# is left out is said to be missing. Write about processes, never about a person or household.
# Then have the person who decides sign it: folkmoot-node scrutiny sign --signer "NAME, ROLE"
schema = 1
council = "{council}"
version = 1    # raise it before each further version is signed
"""


def write_first_file(config: NodeConfig) -> Path:
    """Writes it where there is none.

    Args:
        config: The node's settings: each source gets a table.

    Raises:
        Problem: Exit code SETTINGS, if there is one already, or it cannot be written.
    """
    path = scrutiny_path(config)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(first_file(config))
    except FileExistsError:
        raise Problem(
            "is there already, and stays as it is",
            where=str(path),
            remedy='Change it, and run `folkmoot-node scrutiny sign --signer "NAME, ROLE"`',
            exit_code=ExitCode.SETTINGS,
        ) from None
    except OSError as error:
        raise Problem(
            f"cannot be written ({error.strerror})",
            where=str(path),
            remedy="Check the folder and its permissions",
            exit_code=ExitCode.SETTINGS,
        ) from None
    return path


def first_file(config: NodeConfig) -> str:
    """Its text."""
    return _HEAD.format(council=config.council) + "".join(
        line + "\n" for line in _tables([source.name for source in config.sources])
    )


def _tables(sources: list[str]) -> Iterator[str]:
    empty = ScrutinyDocument.model_validate({"schema": 1, "council": "E06000001", "version": 1})
    for name in type(empty).model_fields:
        table = getattr(empty, name)
        if isinstance(table, Settings):
            yield from _table(name, table)
        if name == "procurement":
            yield from _asked("procurement.suppliers", Supplier)
        if name == "risks":
            yield from _asked("risks", Risk)
        if name == "equality":
            for characteristic in ProtectedCharacteristic:
                key = f"equality.impacts.{characteristic.value}"
                yield from ("", f"# [{key}]", *_keys(Impact))
    for source in sources:
        yield from _table(f"sources.{source}", SourceAnswers())


def _table(name: str, table: Settings) -> Iterator[str]:
    yield from ("", f"[{name}]")
    for key, about in type(table).model_fields.items():
        if about.description and key != "suppliers":
            yield f"# {about.description}"
            yield _key(key, about.annotation)


def _asked(name: str, table: type[Settings]) -> Iterator[str]:
    yield from ("", f"# [[{name}]]    # repeat it for each", *_keys(table))


def _keys(table: type[Settings]) -> Iterator[str]:
    return (_key(key, about.annotation) for key, about in table.model_fields.items())


def _key(name: str, kind: Any) -> str:
    """A key as a comment: with nothing in it, or with one of what may stand there."""
    kinds = (kind,) if get_origin(kind) is Literal else (kind, *get_args(kind))
    for one in kinds:
        if get_origin(one) is Literal:
            return f'# {name} = ""    # one of: {", ".join(get_args(one))}'
        if one is bool:
            return f"# {name} = true    # or false"
        if one is datetime.date:
            return f"# {name} = 2026-12-31"
    return f'# {name} = ""'
