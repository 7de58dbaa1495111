"""The node's configuration: `node.toml` in the node's home folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, field_validator, model_validator

from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot_node.settings.casework import CaseworkSettings
from folkmoot_node.settings.linkage import LinkageSettings
from folkmoot_node.settings.plugins import PluginSettings
from folkmoot_node.settings.region import CoordinatorSettings, KeepSettings, LedgerSettings
from folkmoot_node.settings.running import DaskSettings, ScheduleSettings
from folkmoot_node.settings.scoring import (
    QuarantineSettings,
    ScoringSettings,
    StoreSettings,
    require_place_for_store,
)
from folkmoot_node.settings.scrutiny import ScrutinySettings
from folkmoot_node.settings.sources import SourceSettings
from folkmoot_operator import service_manager
from folkmoot_operator.backup_settings import BackupSettings
from folkmoot_operator.groups import group_number
from folkmoot_operator.ownership import Holdings, require_own, those_in, with_journals
from folkmoot_operator.prefect_settings import PrefectSettings
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.schedule import Schedule
from folkmoot_operator.settings import Settings, load, require_text
from folkmoot_operator.signal_settings import LogSettings, MetricsSettings

FILE_NAME = "node.toml"
STATE_FILE = "state.sqlite"


def _gss(value: str) -> str:
    try:
        return GssCode(value)
    except ContractError as error:
        raise ValueError(f"{error.problem}. {error.remedy}") from None


class NodeSettings(Settings):
    """The file `node.toml`, as written.

    Attributes:
        schema_: Version of this file's layout.
        council: GSS code of the council, such as `E08000009`.
        name: The council's name, for people.
        council_list: A list of councils' codes newer than the one that Folkmoot has, in the same
            form: its lines are added, or replace those of their codes.
        log: Where events are written, and in what form.
        metrics: Who may see how the node is doing; nobody if it is missing or "none".
    """

    schema_: Annotated[Literal[1], Field(alias="schema")]
    council: Annotated[str, AfterValidator(_gss)]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    council_list: Path | None = None
    scoring: ScoringSettings
    quarantine: QuarantineSettings = QuarantineSettings()
    store: StoreSettings = StoreSettings()
    linkage: LinkageSettings = LinkageSettings()
    coordinator: CoordinatorSettings | None = None
    keep: KeepSettings = KeepSettings()
    ledger: LedgerSettings = LedgerSettings()
    backup: BackupSettings | None = None
    schedule: ScheduleSettings = ScheduleSettings()
    prefect: PrefectSettings = PrefectSettings()
    dask: DaskSettings = DaskSettings()
    casework: CaseworkSettings | None = None
    plugins: PluginSettings = PluginSettings()
    scrutiny: ScrutinySettings = ScrutinySettings()
    log: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()
    sources: tuple[SourceSettings, ...] = ()

    @field_validator("sources")
    @classmethod
    def _names_are_unique(cls, sources: tuple[SourceSettings, ...]) -> tuple[SourceSettings, ...]:
        names = [source.name for source in sources]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two sources are named {name!r}; give each its own name")
        return sources

    @model_validator(mode="after")
    def _a_cluster_has_a_scheduler(self) -> NodeSettings:
        if self.scoring.engine == "dask" and self.dask.scheduler is None:
            raise ValueError("scoring.engine: dask needs the address dask.scheduler")
        return self

    @model_validator(mode="after")
    def _frame_is_a_source(self) -> NodeSettings:
        names = [source.name for source in self.sources]
        if names and self.scoring.frame not in names:
            raise ValueError(
                f"scoring.frame: {self.scoring.frame!r} is not among the sources "
                f"({', '.join(names)})"
            )
        return self


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """The configuration with every path made absolute.

    Attributes:
        home: The node's home folder, without links.
        settings: The file as written.
        folder: The folder as it was named, which may be a link to where it is.
    """

    home: Path
    settings: NodeSettings
    folder: Path | None = None

    @property
    def named(self) -> Path:
        """The folder as it was named; see `policies.trusted_signer`."""
        return self.folder or self.home

    @property
    def council(self) -> GssCode:
        """GSS code of the council."""
        return GssCode(self.settings.council)

    @property
    def name(self) -> str:
        """The council's name, for people."""
        return self.settings.name

    @property
    def council_list(self) -> Path | None:
        """A newer list of councils' codes, where there is one."""
        named = self.settings.council_list
        return self.home / named if named else None

    @property
    def frame(self) -> str:
        """Name of the source whose UPRNs are the council's households."""
        return self.settings.scoring.frame

    @property
    def risk_policy(self) -> Path:
        """Risk stratification policy file."""
        return self.home / self.settings.scoring.risk_policy

    @property
    def release_policy(self) -> Path:
        """Release policy file."""
        return self.home / self.settings.scoring.release_policy

    @property
    def threads(self) -> int:
        """Threads that score."""
        return self.settings.scoring.threads

    @property
    def partitions(self) -> int | None:
        """Parts in which households are scored; None to choose by size."""
        return self.settings.scoring.partitions

    @property
    def memory(self) -> int:
        """Bytes that records may take between the stages of a run."""
        return self.settings.scoring.memory_mib * 2**20

    @property
    def runs_folder(self) -> Path:
        """Encrypted intermediate files of the run in progress."""
        return self.store_path.parent / "runs"

    @property
    def extracts_folder(self) -> Path:
        """Where extracts lie that are the node's own, to be deleted by the retention rule."""
        return self.home / "extracts"

    @property
    def quarantine_folder(self) -> Path:
        """Where rejected records are listed."""
        return self.home / self.settings.quarantine.folder

    @property
    def maximum_share(self) -> float:
        """Share of a source's records that may be rejected, from 0 to 1."""
        return self.settings.quarantine.maximum_share

    @property
    def linkage(self) -> LinkageSettings:
        """How households are found for records without a UPRN."""
        return self.settings.linkage

    @property
    def review_folder(self) -> Path:
        """Files for clerical review."""
        return self.home / self.settings.linkage.review_folder

    @property
    def review_store(self) -> Path:
        """Encrypted file of what was decided in clerical review, and what waits."""
        return self.store_path.parent / "review.sealed"

    @property
    def corrections_file(self) -> Path:
        """Sealed file of what upheld objections change."""
        return self.home / "corrections" / "corrections.sealed"

    @property
    def store_path(self) -> Path:
        """Encrypted file of households and scores."""
        return self.home / self.settings.store.path

    @property
    def snapshot_path(self) -> Path:
        """Encrypted file of households as they were known on a past date, for rounds."""
        return self.store_path.with_name(f"snapshot-{self.store_path.name}")

    @property
    def history_folder(self) -> Path:
        """Encrypted files of the households that each running series has counted."""
        return self.store_path.parent / "series"

    def history_path(self, series_id: str) -> Path:
        """Encrypted file of the households that a series has counted."""
        return self.history_folder / f"{series_id}.duckdb"

    @property
    def key_file(self) -> Path:
        """Key of the store: the service's credential of this name, or the file of the settings.

        Raises:
            Problem: Exit code SETTINGS, if others could read the credential.
        """
        return service_manager.key_file(self.own_key_file)

    @property
    def own_key_file(self) -> Path:
        """Where the key of the store is, unless a service manager hands it over."""
        return self.home / self.settings.store.key_file

    @property
    def state_path(self) -> Path:
        """Ledger, outbox and egress log."""
        return self.home / STATE_FILE

    @property
    def coordinator(self) -> CoordinatorSettings | None:
        """Where the coordinator is; None before enrolment."""
        return self.settings.coordinator

    @property
    def keep(self) -> KeepSettings:
        """How long records of what came to nothing are kept."""
        return self.settings.keep

    @property
    def witnesses(self) -> tuple[Path, ...]:
        """Folders in which the signed head is left after each release."""
        return tuple(self.home / folder for folder in self.settings.ledger.witnesses)

    @property
    def backup(self) -> BackupSettings | None:
        """Where backups are written, and who can open them; None without `[backup]`."""
        return self.settings.backup

    @property
    def dask(self) -> DaskSettings:
        """The cluster that scores, if one does."""
        return self.settings.dask

    @property
    def on_cluster(self) -> bool:
        """Whether a cluster scores."""
        return self.settings.scoring.engine == "dask"

    @property
    def schedule(self) -> Schedule | None:
        """When scoring is due; None without `[schedule]`."""
        settings = self.settings.schedule
        return Schedule(settings.score, ZoneInfo(settings.time_zone)) if settings.score else None

    @property
    def prefect(self) -> PrefectSettings:
        """Where the history of runs is kept."""
        return self.settings.prefect

    @property
    def prefect_folder(self) -> Path:
        """Home of the Prefect server that `serve` runs."""
        return self.home / "prefect"

    @property
    def log(self) -> LogSettings:
        """Where events are written, and in what form."""
        return self.settings.log

    @property
    def metrics(self) -> MetricsSettings:
        """Who may see how the node is doing."""
        return self.settings.metrics

    @property
    def casework(self) -> CaseworkSettings | None:
        """Casework at this council; None without `[casework]`."""
        return self.settings.casework

    @property
    def readers(self) -> int | None:
        """Number of the group that may read the store and its key; None if only this account may.

        Raises:
            Problem: Exit code SETTINGS, if `[casework]` names a group that is not there.
        """
        group = self.casework.group if self.casework else None
        return group_number(group, f"{self.home / FILE_NAME}: casework.group") if group else None

    @property
    def casework_folder(self) -> Path:
        """Cases, the log of who looked at what, and the key of both."""
        return self.home / "casework"

    @property
    def plugins(self) -> PluginSettings:
        """Which plugins of others may run, and what they are granted."""
        return self.settings.plugins

    @property
    def scrutiny(self) -> ScrutinySettings:
        """Whether what the node does has to be what was approved."""
        return self.settings.scrutiny

    @property
    def approved_dossiers(self) -> Path:
        """Folder of the facts that were approved; the audit log has their digests."""
        return self.home / "scrutiny" / "approved"

    @property
    def plugin_registry(self) -> Path:
        """Manifests, reviews, reports and revocations of plugins."""
        return self.home / self.settings.plugins.registry

    @property
    def plugin_keys(self) -> Path:
        """The keys of vendors, reviewers and registries that the council trusts."""
        return self.home / self.settings.plugins.trusted_keys

    @property
    def holdings(self) -> Holdings:
        """What decides what the node does, and has to be this account's alone to write."""
        signature = self.release_policy.with_name(self.release_policy.name + ".sig")
        policies = (self.risk_policy, self.release_policy, signature)
        return Holdings(
            self.home,
            private=(
                *those_in(self.home / "keys"),
                self.own_key_file,
                *with_journals(self.state_path),
                self.store_path.parent,
                self.store_path,
            ),
            public=(
                self.home / FILE_NAME,
                *those_in(self.home / "mappings"),
                *those_in(self.plugin_registry),
                self.plugin_keys,
                *policies,
            ),
        )

    @property
    def sources(self) -> tuple[SourceSettings, ...]:
        """The configured sources."""
        return self.settings.sources


def load_config(home: Path, *, owner: int | None = None) -> NodeConfig:
    """Reads `node.toml` in `home`.

    Args:
        home: The node's folder.
        owner: Number of the account that has to own it; this process's if None.

    Raises:
        Problem: Exit code SETTINGS, if there is no node, another account owns it or can write
            to it, the path is not text, or naming each wrong key.
    """
    folder, home = home, home.resolve()
    require_text(home)
    file = home / FILE_NAME
    if not file.exists():
        raise Problem(
            f"there is no node here ({FILE_NAME} is missing)",
            where=str(home),
            remedy="Name the node's folder with --home or FOLKMOOT_NODE_HOME, or make a node "
            "with `folkmoot-node init`",
            exit_code=ExitCode.SETTINGS,
        )
    require_own(Holdings(home, public=(file,)), owner=owner)
    config = NodeConfig(home, load(NodeSettings, file), folder)
    require_own(config.holdings, owner=owner)
    require_place_for_store(config.store_path)
    return config
