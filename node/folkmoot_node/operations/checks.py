"""Whether council and policies go on, who may sign, and what is kept for too long."""

from __future__ import annotations

import datetime
import shlex
from collections.abc import Callable, Iterator

from folkmoot_node.evidence.backups_made import MADE
from folkmoot_node.evidence.fitted_policies import advice, fitted_file
from folkmoot_node.evidence.pauses import paused
from folkmoot_node.evidence.restored import last_restore
from folkmoot_node.federation.identity import public_key_of
from folkmoot_node.home import NodeHome
from folkmoot_node.operations.back_up import PROGRAM, UNDONE, with_store_key
from folkmoot_node.operations.council_codes import doubt_about_council
from folkmoot_node.operations.leaving import CERTIFICATE, FOLDER, is_finished
from folkmoot_node.operations.restore import DRILLED
from folkmoot_node.operations.retention import expired
from folkmoot_node.policies.release_policy import load_unsigned
from folkmoot_node.policies.risk_policy import RENEWAL, WARN_DAYS, load_policy
from folkmoot_node.policies.trusted_signer import NOT_PINNED
from folkmoot_node.settings.node_toml import FILE_NAME
from folkmoot_node.store.extracts_read import last_judged, last_read
from folkmoot_operator import backup_checks
from folkmoot_operator.checks import Check, Finding, State
from folkmoot_operator.moments import day, to_text
from folkmoot_operator.private_files import is_open_to_others
from folkmoot_operator.problems import ExitCode, Problem

_HOME, _LEFT, _SUNSET, _EXTRACTS, _SIGNER = "home", "left", "sunset", "extracts", "signer"
_FITTED = "fitted policy"
_KEPT_KEY, _RESTORED = "backups with the store's key", "restored"
_OTHER_CODE = (
    "Agree with the region under which code, and from which round on, the homes are counted: a "
    "round that invites both is not opened. If the code is newer than this version of Folkmoot, "
    "name a newer list in node.toml as council_list"
)
_SIGN = (
    "Decide on a new date in the release policy, then "
    '`folkmoot-node policy sign --signer "NAME, ROLE"`'
)


def closed(home: NodeHome) -> Check:
    """Whether other accounts can enter the home; one that they can write to is never opened."""

    def look() -> Iterator[Finding]:
        folder = home.config.home
        if is_open_to_others(folder, home.config.readers):
            what = f"other accounts can enter {folder}, and read what is not closed in it"
            yield Finding(_HOME, State.WARN, what, shlex.join(["chmod", "go=", str(folder)]))
        else:
            who = (
                "this account's alone"
                if home.config.readers is None
                else ("this account's, and open to the group of casework")
            )
            yield Finding(_HOME, State.OK, f"the home is {who}")

    return Check(_HOME, look)


def left(home: NodeHome) -> Check:
    """Since when a node has left its region, and where the certificate is; only of such a node."""

    def look() -> Iterator[Finding]:
        pause, certificate = paused(home), home.config.home / FOLDER / CERTIFICATE
        assert pause is not None
        what = f"since {to_text(pause.at)}: {pause.reason}"
        if not is_finished(home):
            what += "; it was interrupted, and keys are there still"
            remedy = "Run `folkmoot-node leave --reason TEXT` again: it goes on where it stopped"
            yield Finding(_LEFT, State.FAIL, what, remedy)
        elif not certificate.exists():
            what += f"; the certificate of leaving, {certificate}, is missing"
            remedy = "Copy it there again: the keys that signed it are destroyed"
            yield Finding(_LEFT, State.WARN, what, remedy)
        else:
            what += f"; the certificate of leaving is {certificate}, and says what remains"
            yield Finding(_LEFT, State.OK, what)

    return Check(_LEFT, look)


def council(home: NodeHome) -> Check:
    """Whether the council's code stands for its homes today."""

    def look() -> Iterator[Finding]:
        config = home.config
        doubt = doubt_about_council(config.council, "council", home.today(), config.council_list)
        if doubt:
            yield Finding("council", State.WARN, doubt, _OTHER_CODE)
        else:
            yield Finding("council", State.OK, f"{config.council} is the code of a council today")

    return Check("council", look)


def sunset(home: NodeHome) -> Check:
    """How long the policies go on: a warning in the last 30 days, and a failure after them.

    A policy that cannot be read is left to the check of it.
    """

    def look() -> Iterator[Finding]:
        config, today, sound = home.config, home.today(), []
        policies: list[tuple[str, str, Callable[[], datetime.date], str]] = [
            (
                "the risk policy",
                "scored, used or released",
                lambda: load_policy(config.risk_policy).sunset,
                RENEWAL,
            ),
            (
                "the release policy",
                "released",
                lambda: load_unsigned(config.release_policy)[0].sunset,
                _SIGN,
            ),
        ]
        for name, governed, read, remedy in policies:
            try:
                last = read()
            except Problem:
                continue
            left = (last - today).days
            if left < 0:
                what = f"{name} ended on {last}: nothing is {governed} under it"
                yield Finding(_SUNSET, State.FAIL, what, remedy)
            elif left <= WARN_DAYS:
                what = f"{name} ends in {left} days, on {last}"
                yield Finding(_SUNSET, State.WARN, what, remedy)
            else:
                sound.append(f"{name} goes on until {last}")
        if sound:
            yield Finding(_SUNSET, State.OK, "; ".join(sound))

    return Check(_SUNSET, look)


def fitted(home: NodeHome) -> Check:
    """Whether the risk policy was fitted to residents' records; nothing is said of others."""

    def look() -> Iterator[Finding]:
        known = fitted_file(home, home.config.risk_policy)
        if known is not None and known[0].is_published:
            yield Finding(_FITTED, State.OK, known[0].what)
        elif known is not None:
            yield Finding(_FITTED, State.WARN, known[0].what, advice(known[1]))

    return Check(_FITTED, look)


def retention(home: NodeHome) -> Check:
    """Whether something waits to be purged."""

    def look() -> str:
        found = expired(home)
        if found:
            kinds = ", ".join(dict.fromkeys(item.kind.value for item in found))
            raise Problem(
                f"{len(found)} past the policy's retention rule: {kinds}",
                remedy="Run `folkmoot-node purge`; with --dry-run it shows them, and deletes "
                "nothing",
                exit_code=ExitCode.REFUSED,
            )
        rule = home.risk_policy().retention
        who = "`serve` deletes" if rule.purge == "automatic" else "a person deletes by `purge`"
        return f"nothing is past the policy's retention rule; {who} what will be"

    return Check("retention", look)


def backups(home: NodeHome) -> Iterator[Check]:
    """Whether backups are made and tried; those with the store's key; a restore."""
    settings = home.config.backup
    if settings is None:
        yield backup_checks.not_set_up(PROGRAM, home.config.home / FILE_NAME)
    else:
        made, drilled = home.audit.entries((MADE,)), home.audit.entries((DRILLED,))
        yield backup_checks.backups(
            PROGRAM, home.config.home, settings, tuple(made), tuple(drilled), home.clock()
        )

    yield kept_keys(home)

    def restored() -> Iterator[Finding]:
        last = last_restore(home.state)
        if last is not None and not last.is_compared:
            what = f"restored from a backup of {last.made_at}, and nothing is answered yet"
            remedy = "Run `folkmoot-node ledger recover`, which compares it with the receipts"
            yield Finding(_RESTORED, State.WARN, what, remedy)

    yield Check(_RESTORED, restored)


def kept_keys(home: NodeHome) -> Check:
    """Which backups hold the store's key: they open what was destroyed here."""

    def look() -> Iterator[Finding]:
        for one in with_store_key(home):
            what = f"{one.file} in {one.folder} holds the store's key until {one.expires}"
            remedy = f"Delete it and its copies when you can: {UNDONE}"
            yield Finding(_KEPT_KEY, State.WARN, what, remedy)

    return Check(_KEPT_KEY, look)


def extracts(home: NodeHome) -> Check:
    """What becomes of the files in `extracts`; warns of old ones that no good run has read, and of
    those of outcomes before they go.
    """

    def look() -> Iterator[Finding]:
        rule, today = home.risk_policy().retention, home.today()
        files, judged = last_read(home.config), last_judged(home.config)
        read = [when for when in files.values() if when is not None]
        kept = datetime.timedelta(days=rule.extracts_days)
        said = []
        if read:
            said.append(
                f"files that a good run has read: {len(read)}, kept for {rule.extracts_days} days "
                f"after the last one, now until {min(read) + kept} at least"
            )
        if judged:
            last = min(judged.values()) + datetime.timedelta(days=rule.outcomes_days)
            said.append(
                f"files of outcomes alone: {len(judged)}, kept for {rule.outcomes_days} days after "
                f"the last back-test that read them, now until {last} at least"
            )
            if today <= last < today + datetime.timedelta(days=WARN_DAYS):
                first = min(judged, key=judged.__getitem__)
                what = f"{first}, a file of outcomes, is kept until {last}, and goes then"
                remedy = (
                    "`folkmoot-node evaluate FILE` reads it again, and keeps it from then; or let "
                    "it go, and bring it again when a back-test needs it"
                )
                yield Finding(_EXTRACTS, State.WARN, what, remedy)
        none = f"no file of {home.config.extracts_folder.name}/ is to be deleted"
        what = "; ".join(said) or none
        old = [
            path
            for path, when in files.items()
            if when is None and path not in judged and day(path.stat().st_mtime) + kept < today
        ]
        if old:
            what += f"; older files that no good run has read, and that stay: {len(old)}"
            remedy = (
                "If you need them no longer, delete them yourself: the node deletes only what a "
                f"good run has read. The first is {old[0]}"
            )
            yield Finding(_EXTRACTS, State.WARN, what, remedy)
        else:
            yield Finding(_EXTRACTS, State.OK, what)

    return Check(_EXTRACTS, look)


def signer(home: NodeHome) -> Check:
    """Who may sign the release policy, and whether the node's account could change that."""

    def look() -> Iterator[Finding]:
        trusted = home.trusted_signer()
        what = f"who may sign: {trusted}"
        changes = home.ledger.signers()[1:]
        if changes:
            what += f"; changes of signer in the ledger: {len(changes)}, the last "
            what += f"before {to_text(changes[-1].at)}"
        key = home.keys.policy_key
        if not trusted.is_pinned:
            folder = shlex.quote(str(home.named.absolute()))
            remedy = f"As root: `folkmoot-node policy pin --home {folder}`"
            yield Finding(_SIGNER, State.WARN, f"{what}. {NOT_PINNED}", remedy)
        elif home.config.home.stat().st_uid == 0:
            what += "; the node's folder belongs to root, who can change the pin"
            yield Finding(_SIGNER, State.WARN, what, "Run the node with an account of its own")
        elif key.exists() and trusted.key == public_key_of(key):
            what += f"; its private key is {key}, where the node's account can use it"
            remedy = "Keep it on another machine; `policy sign --key FILE` signs with it"
            yield Finding(_SIGNER, State.WARN, what, remedy)
        else:
            yield Finding(_SIGNER, State.OK, what)

    return Check(_SIGNER, look)
