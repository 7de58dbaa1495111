"""The likeliest mistakes of a council's IT and a region's operator, and the way out of each.

Each is made in a real folder by a real command. Doing literally what the remedy says mends it:
where the remedy is a command, the test runs it; where it names what to change, the test changes
that and nothing else.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from folkmoot_coordinator.database import connection
from tests.commands import Done, run_inside
from tests.ports import free_ports
from tests.wire.coordinator.conftest import start_serve

NOBODY = "nobody"
NODE, REGION, PLUGIN = "folkmoot-node", "folkmoot-coordinator", "folkmoot-plugin"
ROWS = "".join(
    f"{100012345000 + n},{n}.50,{'YN'[n % 2]},{'SPD' if n % 3 else 'NONE'},"
    f"{'01/09/2025' if n % 3 else ''}\n"
    for n in range(60)
)
EXTRACT = f"UPRN,Arrears,Support,Discount,DiscountFrom\n{ROWS}"
ROUND = """\
title = "Winter"
purpose = "winter_support"
policy = "risk-policy.toml"
councils = ["E08000009"]
minimum_councils = 1
rho = 0.1
delta = 1e-6
deadline_hours = 48
[[attributes]]
name = "band"
codes = ["none", "low", "medium", "high"]
[[marginals]]
attributes = ["band"]
"""
INIT = ("init", "--council", "E08000009", "--name", "Trafford")
LIMITS = ("--rho-per-round", "0.2", "--rho-per-period", "1", "--rho-lifetime", "5")


@dataclass
class Place:
    """The folders of one mistake.

    Attributes:
        path: Holds all.
        said: What the command said that failed.
        held: Sockets and connections that a mend closes.
        ends: Closed after the test, whatever happens.
    """

    path: Path
    said: str = ""
    held: list[socket.socket | sqlite3.Connection] = field(default_factory=list)
    ends: ExitStack = field(default_factory=ExitStack)

    @property
    def node(self) -> Path:
        return self.path / "node"

    @property
    def region(self) -> Path:
        return self.path / "region"

    @property
    def extract(self) -> Path:
        return self.path / "exports" / "council_tax.csv"

    def edit(self, name: str, before: str, after: str) -> None:
        file = self.path / name
        text = file.read_text()
        assert before in text, f"{before} is not in {name}"
        file.write_text(text.replace(before, after, 1))

    def run(self, words: tuple[str, ...]) -> Done:
        """Runs a command; NODE, REGION and so on stand for folders."""
        places = {
            "@node": self.node,
            "@region": self.region,
            "@exports": self.path / "exports",
            "@": self.path,
        }
        found = [
            re.sub(r"@(node|region|exports|)", lambda m: str(places[m[0]]), word) for word in words
        ]
        return run_inside(*found)

    def obey(self, program: str) -> None:
        """Runs the command that the remedy names, in its own words."""
        remedy = self.said.rpartition("Remedy: ")[2]
        named = re.search(rf"(?:`|Run: )({program} [^`\n]+)`?", remedy)
        assert named, f"the remedy names no command: {self.said}"
        command = named[1].replace("NAME, ROLE", "A. Khan, Data Protection Officer")
        command = command.replace("UPRN", "100012345003").replace("CODE", "E08000009")
        if program in (NODE, REGION, PLUGIN):
            words = re.findall(r'"[^"]*"|\S+', command)
            home = ["--home", str(self.node if program == NODE else self.region)]
            done = run_inside(*(word.strip('"') for word in words), *home)
            assert done.code == 0, done.stderr
            return
        subprocess.run(command, shell=True, check=True)


Change = Callable[[Place], object]


@dataclass(frozen=True)
class Mistake:
    """One row of the table.

    Attributes:
        name: For people.
        make: Makes it.
        command: What is run then.
        code: How it ends.
        remedy: Words of the message that say what to do.
        mend: Does what they say.
        after: How the command ends then.
        instead: The command that is right, if that was the mistake.
    """

    name: str
    make: Change
    command: tuple[str, ...]
    code: int
    remedy: str
    mend: Change
    after: int = 0
    instead: tuple[str, ...] = ()


def nothing(place: Place) -> None:
    """No more than the command itself is wrong, or right."""


def put_back(file: str) -> Change:
    """The file as it was, under the name that the message says."""

    def mend(place: Place) -> None:
        source = place.path / f"{file}.right"
        source.replace(place.path / file)

    return mend


def spoil(file: str, text: str | None) -> Change:
    """The file with another text, or gone; as it was it is kept beside."""

    def make(place: Place) -> None:
        path = place.path / file
        if path.exists():
            shutil.copy2(path, f"{path}.right")
            path.unlink()
        if text is not None:
            path.write_text(text)

    return make


def replaced(file: str, before: str, after: str) -> Change:
    return lambda place: place.edit(file, before, after)


def obey(program: str) -> Change:
    return lambda place: place.obey(program)


def first_said(pattern: str, file: str, before: str) -> Change:
    """Puts into a file the word that the message suggests instead of the one that is there."""

    def mend(place: Place) -> None:
        found = re.search(pattern, place.said)
        assert found, place.said
        place.edit(file, before, found[1])

    return mend


def second_source(place: Place) -> None:
    with (place.node / "node.toml").open("a") as file:
        file.write('\n[[sources]]\nname = "council_tax"\nkind = "deaths"\n[sources.options]\n')
        file.write(f'folder = "{place.path / "exports"}"\n')
    shutil.copy(place.extract, place.extract.with_name("deaths.csv"))


def third_name(place: Place) -> None:
    place.edit(
        "node/node.toml",
        'name = "council_tax"\nkind = "deaths"',
        'name = "deaths"\nkind = "deaths"',
    )


def listen(place: Place) -> None:
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    place.held.append(server)
    port = server.getsockname()[1]
    settings = (place.path / "region" / "coordinator.toml").read_text()
    listening = re.findall(r'listen = "127.0.0.1:[0-9]+"', settings)  # nodes first
    place.edit("region/coordinator.toml", listening[0], f'listen = "127.0.0.1:{port}"')


def unscored(place: Place) -> None:
    (place.node / "store").rename(place.node / "store.old")
    (place.node / "store").mkdir(mode=0o700)


def closed(place: Place) -> None:
    for one in place.held:
        one.close()


def locked(place: Place) -> None:
    """As a database browser does that was left open in the middle of a change."""
    database = sqlite3.connect(place.region / "coordinator.sqlite", isolation_level=None)
    database.execute("BEGIN IMMEDIATE")
    place.held.append(database)


def served(place: Place, region: Path) -> None:
    process = start_serve(region)
    assert process.process.stdout is not None
    place.ends.callback(process.process.stdout.close)
    place.ends.callback(process.kill)


def expired(place: Place) -> None:
    with closing(sqlite3.connect(place.region / "coordinator.sqlite")) as database, database:
        database.execute("UPDATE invitations SET expires_at = 1")
    served(place, place.region)


def another_region(place: Place) -> None:
    """The invitation leads to a coordinator that another region runs."""
    collection, enrolment = map(str, free_ports(2))
    ports = ("--collection-port", collection, "--enrolment-port", enrolment)
    place.run((REGION, "init", "--home", "@/south", "--name", "South", "--host", "127.0.0.1",
               *ports)).said()  # fmt: skip
    served(place, place.path / "south")
    invitation = place.path / "invitations" / "invitation-E08000009.toml"
    text = invitation.read_text()
    shutil.copy(invitation, f"{invitation}.right")
    invitation.write_text(
        re.sub(r'(enrolment_address = "127.0.0.1):[0-9]+', rf"\1:{enrolment}", text)
    )


def open_to_others(name: str) -> Change:
    return lambda place: (place.path / name).chmod(0o644)


def risk_policy_beside(place: Place) -> None:
    (place.path / "winter.toml").write_text(ROUND)


def past_sunset(place: Place) -> None:
    file = place.node / "risk-policy.toml"
    text, number = re.subn(r"(?m)^sunset = [-\d]+", "sunset = 2020-03-31", file.read_text())
    assert number == 1
    file.write_text(text)


def pinned_to_another(place: Place) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    file = place.node / "keys" / "policy-signing.pub"
    shutil.copy2(file, f"{file}.right")
    key = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    file.write_text(key.hex() + "\n") if file.read_bytes().isascii() else file.write_bytes(key)


def backup_set_up(place: Place) -> None:
    key = place.run((NODE, "backup", "keygen", "--out", "@/backup.key")).said().strip()
    with (place.node / "node.toml").open("a") as file:
        file.write(f'\n[backup]\nrecipients = ["{key}"]\nfolder = "{place.path / "backups"}"\n')


def owned_by_nobody(place: Place) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root is told to use another account")
    shutil.chown(place.node, NOBODY)


def owned_by_root(place: Place) -> None:
    shutil.chown(place.node, "root")


SCORE = (NODE, "score", "--home", "@node")
SOURCES = (NODE, "sources", "--home", "@node")
VERIFY = (NODE, "policy", "verify", "--home", "@node")
PLAN = (REGION, "round", "plan", "@/winter.toml", "--home", "@region", "--households", "9000")
MISTAKES = (
    Mistake("a folder without a node", nothing, (NODE, "score", "--home", "@exports"), 3,
            "Name the node's folder with --home", nothing, instead=SCORE),
    Mistake("no node.toml", spoil("node/node.toml", None), SOURCES, 3,
            "node.toml is missing", put_back("node/node.toml")),
    Mistake("the store's key may be read by others", open_to_others("node/keys/store.key"),
            (NODE, "explain", "100012345003", "--home", "@node"), 3, "Run: chmod 600 ",
            obey("chmod")),
    Mistake("node.toml is no TOML", replaced("node/node.toml", "[scoring]", "[scoring"), SOURCES, 3,
            "Correct the line named", replaced("node/node.toml", "[scoring", "[scoring]")),
    Mistake("an unknown key", replaced("node/node.toml", "threads = 2", "thread = 2"), SOURCES,
            3, "did you mean 'threads'",
            first_said(r"did you mean '(\w+)'", "node/node.toml", "thread")),
    Mistake("a wrong type", replaced("node/node.toml", "threads = 2", 'threads = "two"'), SOURCES,
            3, "scoring.threads", replaced("node/node.toml", '"two"', "2")),
    Mistake("an unknown kind of source", replaced("node/node.toml", 'kind = "council_tax"',
            'kind = "counciltax"'), SOURCES, 3, "Did you mean 'council_tax'",
            first_said(r"Did you mean '(\w+)'", "node/node.toml", "counciltax")),
    Mistake("an unknown factor", replaced("node/risk-policy.toml", '"financial_hardship"',
            '"financal_hardship"'), SOURCES, 3, "Did you mean 'financial_hardship'",
            first_said(r"Did you mean '(\w+)'", "node/risk-policy.toml", "financal_hardship")),
    Mistake("an unknown frame", replaced("node/node.toml", 'frame = "council_tax"',
            'frame = "ctax"'), SOURCES, 3, "is not among the sources (council_tax)",
            first_said(r"among the sources \((\w+)\)", "node/node.toml", "ctax")),
    Mistake("two sources of one name", second_source, SOURCES, 3, "give each its own name",
            third_name),
    Mistake("no extract", spoil("exports/council_tax.csv", None), SCORE, 4,
            "Put the extract there", put_back("exports/council_tax.csv")),
    Mistake("an empty extract", spoil("exports/council_tax.csv", ""), SCORE, 4,
            "Export the file again", put_back("exports/council_tax.csv")),
    Mistake("an extract with a header alone", spoil("exports/council_tax.csv",
            EXTRACT.splitlines()[0] + "\n"), SCORE, 4, "Check the extract",
            put_back("exports/council_tax.csv")),
    Mistake("no column of UPRNs", spoil("exports/council_tax.csv", EXTRACT.replace("UPRN", "Ref")),
            SCORE, 4, "has no column 'UPRN'", replaced("exports/council_tax.csv", "Ref,", "UPRN,")),
    Mistake("dates written in another way", spoil("exports/council_tax.csv",
            EXTRACT.replace("01/09/2025", "2025-09-01")), SCORE, 4, "DD/MM/YYYY",
            put_back("exports/council_tax.csv")),
    Mistake("nothing is scored yet", unscored,
            (NODE, "explain", "100012345003", "--home", "@node"), 4, "Run `folkmoot-node score`",
            obey(NODE)),
    Mistake("a household that is not the council's", nothing,
            (NODE, "explain", "100099999999", "--home", "@node"), 4,
            "The households are the UPRNs of the source 'council_tax'", nothing,
            instead=(NODE, "explain", "100012345003", "--home", "@node")),
    Mistake("a source that is not there", nothing, (NODE, "sources", "withdraw", "counciltax",
            "--home", "@node"), 2, "Did you mean 'council_tax'", nothing,
            instead=(NODE, "sources", "withdraw", "council_tax", "--home", "@node")),
    Mistake("a policy file that is not there", nothing, (NODE, "score", "--try", "--policy",
            "@/next.toml", "--home", "@node"), 3, "Check the path",
            lambda place: shutil.copy(place.node / "risk-policy.toml", place.path / "next.toml")),
    Mistake("a policy that nobody signed", spoil("node/release-policy.toml.sig", None), VERIFY, 3,
            'policy sign --signer "NAME, ROLE"', obey(NODE)),
    Mistake("a policy that was changed after it was signed", replaced("node/release-policy.toml",
            "maximum_ways = 3", "maximum_ways = 2"), VERIFY, 3,
            'policy sign --signer "NAME, ROLE"', obey(NODE)),
    Mistake("limits that nobody has decided", replaced("node/release-policy.toml",
            "per_round = 0.2", "# per_round = "), (NODE, "policy", "sign", "--signer", "A. Khan",
            "--home", "@node"), 3, "loss.per_round is missing",
            replaced("node/release-policy.toml", "# per_round = ", "per_round = 0.2")),
    Mistake("another key than the signer's", pinned_to_another, VERIFY, 3, "Remedy",
            put_back("node/keys/policy-signing.pub")),
    Mistake("a policy past its sunset", past_sunset, SCORE, 5,
            "decide on a new one with a new date",
            replaced("node/risk-policy.toml", "sunset = 2020-03-31", "sunset = 2099-03-31")),
    Mistake("a node where one is", nothing, (NODE, *INIT, "--home", "@node"), 3,
            "Choose another folder", nothing, instead=(NODE, *INIT, "--home", "@/another")),
    Mistake("a folder of extracts that is not there", nothing, (NODE, *INIT, "--home",
            "@/another", "--from", "@/export"), 4, "Give --from the folder", nothing,
            instead=(NODE, *INIT, "--home", "@/another", "--from", "@exports")),
    Mistake("a code that is none", nothing, (NODE, "init", "--council", "E0800009", "--name", "T",
            "--home", "@/another"), 2, "eight digits, for example E08000009", nothing,
            instead=(NODE, *INIT, "--home", "@/another")),
    Mistake("rounds before the node is enrolled", nothing, (NODE, "renew", "--home", "@node"), 3,
            "Ask the region for an invitation and run `folkmoot-node enrol FILE`", nothing,
            after=6, instead=(NODE, "enrol", "@/invitations/invitation-E08000009.toml",
                              "--home", "@node")),
    Mistake("an invitation that is not there", nothing, (NODE, "enrol", "@/inv.toml", "--home",
            "@node"), 3, "Check the path", lambda place: shutil.copy(
                place.path / "invitations/invitation-E08000009.toml", place.path / "inv.toml"),
            after=6),
    Mistake("a coordinator that does not run", nothing, (NODE, "enrol",
            "@/invitations/invitation-E08000009.toml", "--home", "@node"), 6,
            "run `folkmoot-node enrol FILE` again", nothing, after=6),
    Mistake("a host that has no address", lambda place: place.edit(
            "invitations/invitation-E08000009.toml", 'enrolment_address = "127.0.0.1',
            'enrolment_address = "nowhere.invalid'), (NODE, "enrol",
            "@/invitations/invitation-E08000009.toml", "--home", "@node"), 6,
            "Check enrolment_address in the invitation", nothing, after=6),
    Mistake("an invitation that has expired", expired, (NODE, "enrol",
            "@/invitations/invitation-E08000009.toml", "--home", "@node"), 5,
            "ask the region for a new invitation", lambda place: place.run((REGION, "invite",
            "E08000009", "--home", "@region", "--out", "@/more")).said(),
            instead=(NODE, "enrol", "@/more/invitation-E08000009.toml", "--home", "@node")),
    Mistake("the certificate of another region", another_region, (NODE, "enrol",
            "@/invitations/invitation-E08000009.toml", "--home", "@node"), 5,
            "Check enrolment_address in the invitation",
            put_back("invitations/invitation-E08000009.toml"), after=6),
    Mistake("a proxy that is away", lambda place: (place.node / "node.toml").write_text(
            (place.node / "node.toml").read_text() + '\n[coordinator]\naddress = "127.0.0.1:9"\n'
            'enrolment_address = "127.0.0.1:9"\nproxy = "http://127.0.0.1:9"\n'), (NODE, "enrol",
            "@/invitations/invitation-E08000009.toml", "--home", "@node"), 6,
            "Check proxy in [coordinator] of node.toml", nothing, after=6),
    Mistake("a folder without a coordinator", nothing, (REGION, "round", "list", "--home",
            "@exports"), 3, "name the folder with --home", nothing,
            instead=(REGION, "round", "list", "--home", "@region")),
    Mistake("a coordinator where one is", nothing, (REGION, "init", "--home", "@region", "--name",
            "N", "--host", "127.0.0.1"), 3, "Choose another folder", nothing,
            instead=(REGION, "init", "--home", "@/other", "--name", "N", "--host", "127.0.0.1")),
    Mistake("an unknown key of the coordinator", replaced("region/coordinator.toml", "region =",
            "regoin ="), (REGION, "round", "list", "--home", "@region"), 3,
            "did you mean 'region'", first_said(r"did you mean '(\w+)'",
                                                "region/coordinator.toml", "regoin")),
    Mistake("a typing error in a round file", lambda place: place.edit("winter.toml", "purpose",
            "porpose"), PLAN, 3, "did you mean 'purpose'",
            first_said(r"did you mean '(\w+)'", "winter.toml", "porpose")),
    Mistake("a round whose policy is not there", lambda place: (place.path / "risk-policy.toml")
            .rename(place.path / "risk-policy.toml.right"), (REGION, "round", "open",
            "@/winter.toml", "--home", "@region"), 3,
            "Give the policy file's path relative to the round file",
            put_back("risk-policy.toml")),
    Mistake("no councils", lambda place: place.edit("winter.toml", '["E08000009"]', '"all"'),
            (REGION, "round", "open", "@/winter.toml", "--home", "@region"), 3,
            "`folkmoot-coordinator invite CODE`", nothing, after=3),
    Mistake("a round that there is not", nothing, (REGION, "round", "show", "latest", "--home",
            "@region"), 2, "`folkmoot-coordinator round list`", nothing,
            instead=(REGION, "round", "list", "--home", "@region")),
    Mistake("a database that another program keeps locked", locked, (REGION, "pause", "--reason",
            "x", "--home", "@region"), 6, "End the program that holds it", closed),
    Mistake("a port that another program has", listen, (REGION, "serve", "--home", "@region"), 3,
            "Stop the program that uses the port", closed, after=-1),
    Mistake("a key of the region that others may read", open_to_others("region/keys/authority.key"),
            (REGION, "invite", "E08000001", "--home", "@region", "--out", "@/more"), 3, "chmod 600",
            obey("chmod")),
    Mistake("a file that is no registry", lambda place: (place.path / "reg.json").write_text("{}"),
            (PLUGIN, "registry", "check", "@/reg.json"), 7,
            "`folkmoot-plugin registry bundle` writes", nothing, after=7),
    Mistake("a register of incidents into a file that is there", lambda place: (place.path /
            "incidents.json").touch(), (NODE, "incident", "export", "--out", "@/incidents.json",
            "--home", "@node"), 3, "Name another file", nothing,
            instead=(NODE, "incident", "export", "--out", "@/again.json", "--home", "@node")),
    Mistake("a backup that nobody is named for", nothing, (NODE, "backup", "--home", "@node"), 3,
            "write what it prints into [backup] as recipients", backup_set_up),
    Mistake("a key of backups where one is", lambda place: (place.path / "k").touch(), (NODE,
            "backup", "keygen", "--out", "@/k"), 3, "Name another file", nothing,
            instead=(NODE, "backup", "keygen", "--out", "@/k2")),
    Mistake("going on without a pause", nothing, (NODE, "resume", "--reason", "x", "--home",
            "@node"), 5, "Nothing needs to be done", nothing, after=5),
    Mistake("a run while the node is paused", lambda place: place.run((NODE, "pause", "--reason",
            "x", "--home", "@node")).said(), SCORE, 5, "folkmoot-node resume --reason TEXT",
            obey(NODE)),
    Mistake("an incident that there is not", nothing, (NODE, "incident", "told", "7", "--whom",
            "ico", "--by", "A. Khan", "--home", "@node"), 2, "`incident list` shows them", nothing,
            instead=(NODE, "incident", "list", "--home", "@node")),
    Mistake("a Python without the other version", nothing, (NODE, "upgrade", "try", "--python",
            "/bin/sh", "--home", "@node"), 3, "Remedy", nothing, after=3),
    Mistake("run as root in another account's folder", owned_by_nobody, SCORE, 3,
            "Run it as that account: runuser -u nobody", owned_by_root),
    Mistake("a folder without a registry", nothing, (PLUGIN, "registry", "check", "@exports"), 3,
            "`folkmoot-plugin registry init` makes a new one", nothing, after=3),
)  # fmt: skip


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scored node with a signed policy, and a coordinator that has invited its council."""
    path = tmp_path_factory.mktemp("right")
    (path / "exports").mkdir()
    (path / "exports" / "council_tax.csv").write_text(EXTRACT)
    place = Place(path)
    collection, enrolment = map(str, free_ports(2))
    for words in (
        (NODE, *INIT, "--home", "@node", "--from", "@exports", *LIMITS),
        SCORE,
        (NODE, "policy", "sign", "--signer", "A. Khan", "--home", "@node"),
        (
            REGION,
            "init",
            "--home",
            "@region",
            "--name",
            "North",
            "--host",
            "127.0.0.1",
            "--collection-port",
            collection,
            "--enrolment-port",
            enrolment,
        ),
        (REGION, "invite", "E08000009", "--home", "@region", "--out", "@/invitations"),
    ):
        place.run(words).said()
    shutil.copy(place.node / "risk-policy.toml", path)
    risk_policy_beside(place)
    return path


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "here")
    with made.ends:
        yield made


@pytest.mark.parametrize("mistake", MISTAKES, ids=[one.name for one in MISTAKES])
def test_the_message_names_what_mends_it(
    mistake: Mistake, right: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "BUSY_SECONDS", 0.5)  # half a minute, in earnest
    shutil.copytree(right, place.path, symlinks=True)
    settings = place.node / "node.toml"
    settings.write_text(settings.read_text().replace(str(right), str(place.path)))
    mistake.make(place)
    done = place.run(mistake.command)
    assert done.code == mistake.code, done.stderr
    place.said = done.stderr
    assert "Remedy: " in done.stderr
    assert "a fault in Folkmoot" not in done.stderr
    assert mistake.remedy in " ".join(done.stderr.split()), done.stderr
    mistake.mend(place)
    if mistake.after < 0:
        return
    again = place.run(mistake.instead or mistake.command)
    assert again.code == mistake.after, again.stderr


def test_the_table_is_of_thirty_at_least() -> None:
    assert len({one.name for one in MISTAKES}) >= 30
