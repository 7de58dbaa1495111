"""Secrets among options: settings name a file or a variable, and a plugin gets the text hidden."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from folkmoot_sdk.errors import PluginError

FILE, VARIABLE = "file", "variable"
"""What the text in the settings names."""
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_HIDDEN = "Secret(hidden)"


class Secret:
    """A text that is not shown: neither `repr` nor `str` nor an f-string quotes it.

    It is read when it is asked for, not when options are built: a password that was changed is
    the new one at the next run, and settings can be checked where the secret is not. Two are equal
    only if they are the same object: compare what they reveal.
    """

    __slots__ = ("_read",)

    def __init__(self, text: str | Callable[[], str]) -> None:
        self._read = text if callable(text) else lambda: text

    def reveal(self) -> str:
        """The text.

        Raises:
            PluginError: If it cannot be had, or others can read it.
        """
        return self._read()

    def __repr__(self) -> str:
        return _HIDDEN

    __str__ = __repr__

    def __format__(self, wanted: str) -> str:
        return _HIDDEN

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, _: dict[int, Any]) -> Secret:
        return self


def named_secret(value: object, means: str, base: Path, where: str) -> Secret:
    """The secret that a value of a settings file names. Reads nothing yet.

    Args:
        value: A text. It is never the secret itself.
        means: What the text names: `file` or `variable`.
        base: Folder to which relative paths refer.
        where: Option, for errors.

    Raises:
        PluginError: If the value is no such text.
    """
    if not isinstance(value, str) or not value:
        named = "the path of a file" if means == FILE else "the name of an environment variable"
        raise PluginError(where, "does not name a secret", f"Give {named}")
    noun = _noun(where)
    if means == VARIABLE:
        return Secret(lambda: _from_environment(value, noun))
    return Secret(lambda: _from_file(base / value, noun, where))


def _noun(where: str) -> str:
    """What messages call the secret: `a password` for the option `password_file`."""
    key = where.rpartition(".")[2]
    words = key.removesuffix("_file").removesuffix("_variable").replace("_", " ") or "secret"
    return f"an {words}" if words[0] in "aeiou" else f"a {words}"


def _from_environment(variable: str, noun: str) -> str:
    value = os.environ.get(variable, "")
    if not value:
        raise PluginError(
            f"environment variable {variable}",
            f"is not set, so there is no {noun.partition(' ')[2]}",
            "Set it for this process",
        )
    return value


def _from_file(file: Path, noun: str, where: str) -> str:
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            raw = opened.read()
    except OSError as error:
        raise PluginError(
            str(file),
            f"cannot be read ({error.strerror})",
            f"Check the option `{where.rpartition('.')[2]}`",
        ) from None
    if mode & _OTHERS:
        raise PluginError(
            str(file),
            f"can be read by others (mode {stat.S_IMODE(mode):04o})",
            f"chmod 600 {file}, and change the {noun.partition(' ')[2]} if others have an account "
            "here",
        )
    try:
        value = raw.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        value = ""
    if not value or "\n" in value or "\0" in value:
        raise PluginError(
            str(file),
            f"does not hold {noun} in one line of UTF-8",
            "Write it there, and no more",
        )
    return value
