"""coordinator.toml: what it may say, and how a new one reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot_operator.backup_settings import BackupSettings
from folkmoot_operator.extras import how_to_install
from folkmoot_operator.network_addresses import (
    DialledAddress,
    Host,
    ListenedAddress,
    join_address,
    split_address,
)
from folkmoot_operator.prefect_settings import PrefectSettings
from folkmoot_operator.schedule import Schedule, check_cron, check_zone
from folkmoot_operator.settings import Settings, toml_text
from folkmoot_operator.signal_settings import LogSettings, MetricsSettings

SHORTEST_DAYS = 1 / 1440
"""The shortest life of a certificate: a minute."""


def check_printable(value: str) -> str:
    """Returns `value` if all its characters can be printed, else raises ValueError."""
    if not value.isprintable():
        raise ValueError("has a character that cannot be printed")
    return value


RegionName = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(check_printable)]


class PortSettings(Settings):
    """One of the two ports.

    Attributes:
        listen: Where the coordinator listens, `host:port`.
        address: What nodes dial, `host:port`; its host must be among `hosts`.
    """

    listen: ListenedAddress
    address: DialledAddress


class CertificateSettings(Settings):
    """Table `[certificates]`: how long certificates and invitations last.

    A fraction of a day is allowed: 0.5 is twelve hours. The shorter the life of a node's
    certificate, the better must its clock be.
    """

    node_days: float = Field(default=30, ge=SHORTEST_DAYS, le=825)
    """Days a node's certificate is valid; nodes renew theirs while running."""
    server_days: float = Field(default=90, ge=SHORTEST_DAYS, le=825)
    """Days the server certificate is valid; renewed while running at a third of it left."""
    invitation_hours: int = Field(default=72, ge=1, le=24 * 90)
    """Hours within which an invitation must be used."""


class DatabaseSettings(Settings):
    """Where state is kept."""

    url: str | None = None
    """SQLAlchemy URL; by default SQLite in the home folder."""


class LimitSettings(Settings):
    """Bounds on what peers can make the coordinator do at one time."""

    workers: int = Field(default=24, ge=2, le=512)
    """Calls served at one time on the collection port; others wait their turn."""
    call_seconds: int = Field(default=900, ge=1)
    """Longest duration of one call, in seconds."""
    connections: int = Field(default=2000, ge=2)
    """Connections to the collection port at one time."""
    connections_per_address: int = Field(default=500, ge=2)
    """Of these, from one address. Where councils come through one proxy, they share it."""


def _check_council(value: str) -> str:
    try:
        return GssCode(value)
    except ContractError as error:
        raise ValueError(f"{error.problem}. {error.remedy}") from None


AccountName = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(check_printable)]
CouncilCode = Annotated[str, AfterValidator(_check_council)]
CouncilName = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(check_printable)]


class RoundSettings(Settings):
    """Table `[rounds]`: who opens rounds."""

    second_person: bool | None = None
    """Whether a second person must approve a question before it is asked. By default those asked
    on the web need one, and those opened by a command do not."""
    approvers: tuple[AccountName, ...] = ()
    """Names of accounts that may approve; by default any other person who may by their role."""


class BoundarySettings(Settings):
    """A file of boundaries, GeoJSON (also `.gz`) or GeoPackage, for maps.

    Attributes:
        file: The file; relative to the home.
        codes: Its column of areas' codes; found if it is not named.
        names: Its column of areas' names; found if it is not named.
        layer: Of a GeoPackage with several.
    """

    file: Path
    codes: str | None = None
    names: str | None = None
    layer: str | None = None


class ApiSettings(Settings):
    """Table `[viewer.api]`: what programs may ask of the site."""

    requests_per_minute: int = Field(default=120, ge=1)
    """Requests of one key, or of one person, in any minute."""


class ViewerSettings(Settings):
    """Table `[viewer]`: the web site of the region.

    Its other keys are those of any site of ours (`folkmoot_web.settings.WebSettings`): listen,
    address, name, logo, tls, proxies, session, sign_in, attempts, contact. They are checked by
    `viewer.settings`, because a coordinator without a site does not need what reads them.
    """

    model_config = ConfigDict(extra="allow")

    enabled: bool = True
    """Whether `serve` runs the site; it does not where there is no such table."""
    database: str | None = None
    """SQLAlchemy URL of the viewer's own database, with accounts and drafts; by default SQLite in
    the home."""
    boundaries: tuple[BoundarySettings, ...] = ()
    """Files of boundaries; without one, districts are drawn as tiles."""
    tiles: dict[CouncilCode, tuple[int, int]] = {}
    """Column and row of each district's tile, from 0, where there are no boundaries."""
    visibility: dict[str, tuple[str, ...]] = {}
    """By role the purposes whose rounds it may see; a role that is not named sees all."""
    api: ApiSettings = ApiSettings()
    """What programs may ask."""
    public_record: bool = False
    """Whether people who have not signed in may read the region's own record."""

    @property
    def site(self) -> dict[str, Any]:
        """The keys of any site, not checked yet."""
        return dict(self.model_extra or {})


class ScheduledRound(Settings):
    """A table `[[schedule.rounds]]`: a round that is opened again and again.

    Attributes:
        name: Lower-case word, unique; history is kept under it.
        question: The round file, relative to the folder. With a table `[series]`, its first round
            is opened first, then one of the series each time.
        cron: When, as a cron expression.
        councils: Whom to ask, in place of the file's councils: GSS codes, or `all`.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
    question: Path
    cron: Annotated[str, AfterValidator(check_cron)]
    councils: tuple[CouncilCode, ...] | Literal["all"] | None = None


class ScheduleSettings(Settings):
    """Table `[schedule]`: what `serve` does by itself.

    Attributes:
        time_zone: Time zone of the cron expressions.
        rounds: Rounds that are opened again and again.
        export: Folder into which each round is exported when it closes, relative to the home;
            none if it is missing.
    """

    time_zone: Annotated[str, AfterValidator(check_zone)] = "Europe/London"
    rounds: tuple[ScheduledRound, ...] = ()
    export: Path | None = None

    @model_validator(mode="after")
    def _names_differ(self) -> ScheduleSettings:
        names = [one.name for one in self.rounds]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two rounds are named {name!r}; give each its own name")
        return self

    def times(self, entry: ScheduledRound) -> Schedule:
        """When a round is due."""
        return Schedule(entry.cron, ZoneInfo(self.time_zone))


class RetentionSettings(Settings):
    """How long what councils released is kept."""

    counts_days: int | None = Field(default=None, ge=1)
    """Days after which the noisy counts of a closed round are deleted; by default never.
    Who answered, and the receipts, stay, so that no round is answered twice."""
    drafts_days: int | None = Field(default=None, ge=1)
    """Days after which a draft that was refused or withdrawn is deleted; by default never."""


class CoordinatorSettings(Settings):
    """The file coordinator.toml.

    Attributes:
        version: Version of the file's form.
        region: Name of the region, for people.
        hosts: Names and IP addresses in the server certificate.
        collection: Port for enrolled nodes, mutual TLS.
        enrolment: Port for nodes that have no certificate yet, server-authenticated TLS.
        certificates: Lifetimes.
        database: Where state is kept.
        limits: Bounds on concurrent work.
        retention: How long noisy counts are kept.
        rounds: Who opens rounds.
        viewer: The web site of the region; none if it is missing.
        schedule: What `serve` does by itself.
        prefect: Where the history of that is kept.
        backup: Where `backup` writes, and who can open it; none if it is missing.
        names: Names of councils by GSS code, for tables and published files.
        council_list: A list of councils' codes newer than the one that Folkmoot has, in the same
            form: its lines are added, or replace those of their codes. Relative to the folder.
        log: Where events are written, and in what form.
        metrics: Who may see how the coordinator is doing; nobody if it is missing or "none".
    """

    version: Literal[1] = Field(alias="schema")
    region: RegionName
    hosts: tuple[Host, ...] = Field(min_length=1)
    collection: PortSettings
    enrolment: PortSettings
    certificates: CertificateSettings = CertificateSettings()
    database: DatabaseSettings = DatabaseSettings()
    limits: LimitSettings = LimitSettings()
    retention: RetentionSettings = RetentionSettings()
    rounds: RoundSettings = RoundSettings()
    viewer: ViewerSettings = ViewerSettings(enabled=False)
    schedule: ScheduleSettings = ScheduleSettings()
    prefect: PrefectSettings = PrefectSettings()
    backup: BackupSettings | None = None
    names: dict[CouncilCode, CouncilName] = {}
    council_list: Path | None = None
    log: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()

    def label(self, council: str) -> str:
        """A council for people: its code, and its name if it is known."""
        return f"{council} {self.names.get(council, '')}".rstrip()

    @model_validator(mode="after")
    def _addresses_fit(self) -> CoordinatorSettings:
        for name, port in (("collection", self.collection), ("enrolment", self.enrolment)):
            host, _ = split_address(port.address)
            if host not in self.hosts:
                raise ValueError(
                    f"{name}.address names the host {host}, which is not among hosts "
                    f"({', '.join(self.hosts)}): nodes would refuse the certificate"
                )
        if split_address(self.collection.listen) == split_address(self.enrolment.listen):
            raise ValueError("collection and enrolment listen on the same port")
        if self.collection.address == self.enrolment.address:
            raise ValueError("the addresses of both ports are the same")
        return self


def settings_text(
    region: str,
    hosts: tuple[str, ...],
    listen: str,
    collection_port: int,
    enrolment_port: int,
    database: str | None = None,
) -> str:
    """A settings file for a new coordinator, with the defaults written out."""
    url = toml_text(database or "postgresql+psycopg://user@host/folkmoot")
    names = ", ".join(toml_text(host) for host in hosts)
    return f"""\
# Settings of a Folkmoot coordinator. An unknown key is refused.
schema = 1
region = {toml_text(region)}
hosts = [{names}]  # names and IP addresses in the server certificate
# council_list = "councils.csv"  # codes of councils that are newer than this program

[collection]  # enrolled nodes, mutual TLS
listen = {toml_text(join_address(listen, collection_port))}
address = {toml_text(join_address(hosts[0], collection_port))}  # what nodes dial

[enrolment]  # nodes that have no certificate yet
listen = {toml_text(join_address(listen, enrolment_port))}
address = {toml_text(join_address(hosts[0], enrolment_port))}

[certificates]
node_days = 30
server_days = 90
invitation_hours = 72

[database]
{"" if database else "# "}url = {url}  # default: SQLite in this folder; only `init` makes tables

[limits]
workers = 24
call_seconds = 900
connections = 2000
connections_per_address = 500

[retention]
# counts_days = 365  # delete a closed round's noisy counts; default: keep
# drafts_days = 90  # delete drafts that were refused or withdrawn; default: keep

[rounds]
# second_person = true  # another person approves each question; default: those asked on the web
# approvers = ["jo", "sam"]  # accounts that may approve; default: any other person

# The web site of the region, which `serve` runs where this table is here and not commented out.
# It needs {how_to_install("folkmoot-coordinator", "viewer")}.
# [viewer]
# enabled = true  # false: `serve` leaves the site out; `view` runs it alone
# listen = "127.0.0.1:8080"  # other addresses need tls or proxies
# address = "https://statistics.example.gov.uk"  # how browsers reach it; default: listen
# boundaries = [{{ file = "lsoa21.geojson.gz" }}]  # default: districts are drawn as tiles
# [viewer.tls]  # PEM files; or, in [viewer], proxies = ["10.0.0.5"], who speak TLS for it
# certificate = "site.crt"
# key = "site.key"
# [viewer.api]  # for programs, with keys of `folkmoot-coordinator keys add`
# requests_per_minute = 120  # of one key or person

# Rounds that open by themselves, and files of each round when it closes.
# [schedule]
# export = "published"
# [[schedule.rounds]]
# name = "winter"
# question = "winter.toml"
# cron = "0 6 1 * *"  # at 6:00 on the first of each month

# Where `backup` writes, and who can open it: `backup keygen` makes the key.
# [backup]
# recipients = ["age1..."]
# folder = "/mnt/backups"  # on another machine's disk
# keep = 14

# Names of councils, for tables and published files.
# [names]
# E08000009 = "Trafford"
"""
