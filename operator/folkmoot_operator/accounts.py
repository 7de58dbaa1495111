"""Who runs a command, by the operating system: not by variables, which anybody can set.

Three things are known of who it is, and they are worth different amounts:

- `account` and `uid`: the account as which the process runs. The kernel holds it, and only root
  can choose another.
- `login`: the account that signed in at this machine before it became that one, by `sudo` or
  `su`. Linux holds it for a session (`/proc/self/loginuid`, set by PAM); who has signed in cannot
  change it without root's rights, but a process that never belonged to a session can set it once.
  So it is an indication wherever a service's account is used by hand, and no proof.
- `claimed`: what LOGNAME, USER or SUDO_USER say where they say something else. It may be false.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = 0
"""Number of the account that may do everything."""
_LOGIN = Path("/proc/self/loginuid")
_NO_LOGIN = 2**32 - 1
_CLAIMS = ("SUDO_USER", "LOGNAME", "USER", "LNAME", "USERNAME")
_MAX_CLAIM = 64


@dataclass(frozen=True, slots=True)
class Operator:
    """Who runs a command; the module says what each is worth.

    Attributes:
        account: Name of the account, or its number if no account has it.
        uid: Number of the account.
        login: The account that had signed in, if it is another; else empty.
        claimed: What variables say, if it is neither of them; else empty.
    """

    account: str
    uid: int
    login: str = ""
    claimed: str = ""

    def __str__(self) -> str:
        return f"{self.account} (signed in as {self.login})" if self.login else self.account

    def as_body(self) -> dict[str, str | int]:
        """What an entry of an audit log says of them: `by`, `uid`, and what else is known."""
        further = {"login": self.login, "claimed": self.claimed}
        return {
            "by": self.account,
            "uid": self.uid,
            **{name: text for name, text in further.items() if text},
        }

    @classmethod
    def of_body(cls, body: Mapping[str, Any]) -> Operator:
        """Who an entry of an audit log names; one of an earlier version has the account alone."""
        texts = (str(body.get(key, "")) for key in ("login", "claimed"))
        return cls(str(body.get("by", "")), int(body.get("uid", -1)), *texts)


def current_operator() -> Operator:
    """Who runs this process."""
    uid = os.getuid()
    account = account_name(uid)
    signed_in = _login_uid()
    login = "" if signed_in is None or signed_in == uid else account_name(signed_in)
    said = (_printable(os.environ.get(name, "")) for name in _CLAIMS)
    claimed = next((name for name in said if name and name not in (account, login)), "")
    return Operator(account, uid, login, claimed)


def body_of_account(who: Operator | str) -> dict[str, str | int]:
    """What an audit log says of who did something: an account, or a program of its own accord."""
    return who.as_body() if isinstance(who, Operator) else {"by": who}


def account_name(uid: int) -> str:
    """Name of an account, or its number if no account has it."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _login_uid() -> int | None:
    """The account that had signed in; None if the kernel knows of none."""
    try:
        uid = int(_LOGIN.read_bytes())
    except (OSError, ValueError):
        return None
    return None if uid == _NO_LOGIN else uid


def _printable(text: str) -> str:
    """A name that nobody has checked, on one line and of bounded length."""
    return "".join(sign for sign in text[:_MAX_CLAIM] if sign.isprintable()).strip()
