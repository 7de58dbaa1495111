"""Every command with its arguments and options, from Typer."""

from __future__ import annotations

import enum
import re
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from typer.main import get_command

from documentation.markdown import cell, table
from documentation.settings_keys import toml, type_in_words


@dataclass(frozen=True, slots=True)
class Option:
    """An argument or an option of a command.

    Attributes:
        name: As it is typed, with all its spellings; an argument in capitals.
        type: In words.
        default: In words; `required` if it has none.
        help: What it does; empty if the command does not say, which a test refuses.
    """

    name: str
    type: str
    default: str
    help: str


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        path: As it is typed, such as `folkmoot-node policy sign`.
        help: Its help, as Markdown.
        options: Arguments first.
    """

    path: str
    help: str
    options: tuple[Option, ...]


def commands(program: str, app: typer.Typer) -> Iterator[Command]:
    """The commands of a program, in the order of its help."""
    yield from _walk(get_command(app), program)


def page(program: str, app: typer.Typer) -> str:
    """The page of one program."""
    root = get_command(app)
    text = [f"# {program}\n\n{_help(root.help or '', program)}\n"]
    for one in commands(program, app):
        if one.path != program:
            text.append(f"\n## {one.path}\n\n{one.help}\n")
        if one.options:
            rows = [(o.name, o.help.replace("<", "&lt;"), o.type, o.default) for o in one.options]
            text.append("\n" + table(("Option", "What it does", "Type", "Default"), rows))
    text.append("\n[What the exit codes mean](exit-codes.md).\n")
    return "".join(text)


def _walk(command: Any, path: str) -> Iterator[Command]:
    below = getattr(command, "commands", None) or {}
    # A group may do something by itself, such as `backup`; the program does not.
    if not below or (command.invoke_without_command and " " in path):
        shown = [one for one in command.params if not one.hidden and one.name != "help"]
        shown.sort(key=lambda one: one.param_type_name != "argument")
        yield Command(path, _help(command.help or "", path), tuple(map(_option, shown)))
    for name, one in below.items():
        if not one.hidden:
            yield from _walk(one, f"{path} {name}")


def _help(text: str, path: str) -> str:
    """Help as Markdown: lines that show a command become a block of code."""
    done: list[str] = []
    program = path.split()[0]
    for paragraph in re.split(r"\n\s*\n", text.replace("\f", "").replace("\b\n", "")):
        example = re.fullmatch(rf"(Examples?):\s+`?({program}\b[^`]*)`?\s*", paragraph, re.S)
        if example:
            lines = re.sub(r"\s+", " ", example[2]).replace(f" {program} ", f"\n{program} ")
            done.append(f"{example[1]}:\n\n```text\n{lines.strip()}\n```")
        else:
            done.append(paragraph.replace("<", "&lt;"))
    return "\n\n".join(done)


def _option(option: Any) -> Option:
    names = [*option.opts, *option.secondary_opts]
    if option.param_type_name == "argument":
        names = [(option.metavar or option.name).upper()]
    shown = ", ".join(f"`{name}`" for name in names)
    default = _default(option)
    if option.envvar:
        default = f"`${option.envvar}`, else {default}"
    return Option(shown, cell(_type(option)), default, option.help or "")


def _type(option: Any) -> str:
    if getattr(option, "is_flag", False):
        return "flag"
    if getattr(option, "count", False):
        return "flag, may be repeated"
    hint = option.type_descriptor.annotation
    while typing.get_origin(hint) is Annotated:
        hint = typing.get_args(hint)[0]
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return " or ".join(f"`{one.value}`" for one in hint)
    words = type_in_words(hint)
    return f"{words}, may be repeated" if option.multiple else words


def _default(option: Any) -> str:
    if option.required:
        return "required"
    if isinstance(option.show_default, str):
        return cell(option.show_default)
    value = option.default() if callable(option.default) else option.default
    if value is None or value == () or value == []:
        return "none"
    if value is False:
        return "off"
    if value is True:
        return "on"
    return f"`{toml(value)}`"
