"""Passwords: which are taken, and how they are kept.

The rules are those of the National Cyber Security Centre: length and a refusal of what is
guessed first, no mixture of kinds of characters, no expiry. What is guessed first is judged by
zxcvbn, which knows leaked passwords, keyboards, dates and repetitions.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Collection

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

MIN_LENGTH = 12
"""Characters."""
MAX_LENGTH = 128
"""Characters; longer ones would only cost time."""
_JUDGED = 64  # characters; zxcvbn's time grows with the square of them
_FEWEST_GUESSES = 1e10
_AT_ONCE = 2  # each takes 64 MB for as long as it runs

_one_at_a_time = threading.BoundedSemaphore(_AT_ONCE)
_hashes = PasswordHash((Argon2Hasher(),))
_nobody: str | None = None
_made = threading.Lock()


def fault(password: str, about: Collection[str] = ()) -> str | None:
    """What is wrong with a password; None if it is taken.

    Args:
        password: As it was typed.
        about: Words that attackers try first for this account: its name, the organisation's.
    """
    if len(password) < MIN_LENGTH:
        return f"Password must have at least {MIN_LENGTH} characters"
    if len(password) > MAX_LENGTH:
        return f"Password must have {MAX_LENGTH} characters or fewer"
    from zxcvbn import zxcvbn  # its lists of words take a while to load

    words = {part for text in about for part in (text, *text.replace("@", " ").split()) if part}
    if zxcvbn(password[:_JUDGED], user_inputs=sorted(words))["guesses"] < _FEWEST_GUESSES:
        return "Choose a password that is harder to guess, such as three random words"
    return None


def make_hash(password: str) -> str:
    """What is kept of a password: Argon2id with its parameters and a random salt."""
    with _one_at_a_time:
        return _hashes.hash(password)


def check(password: str, kept: str | None) -> tuple[bool, str | None]:
    """Compares a password with what is kept; takes as long where there is nothing.

    Args:
        password: As it was typed.
        kept: From `make_hash`; None for an account without a password, or no account.

    Returns:
        Whether it is the password, and what to keep from now on, if the parameters have changed.
    """
    if len(password) > MAX_LENGTH:
        password, kept = "", None
    with _one_at_a_time:
        try:
            right, newer = _hashes.verify_and_update(password, kept or _of_nobody())
        except UnknownHashError:
            return False, None
    return (right, newer) if kept is not None else (False, None)


def _of_nobody() -> str:
    """A hash that no password is compared with in truth."""
    global _nobody
    with _made:
        if _nobody is None:
            _nobody = _hashes.hash(secrets.token_urlsafe(16))
        return _nobody
