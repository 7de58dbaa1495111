"""What every sequence begins from, made once: two scored nodes and a coordinator, enrolled."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from region import (
    BURY,
    MAPPING,
    NAMES,
    RISK_POLICY,
    SOURCES,
    TRAFFORD,
    household_rows,
)
from wire import Wire

from folkmoot.geography import GssCode
from folkmoot_coordinator.clock import DAY, system_clock
from folkmoot_coordinator.config import settings_text
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.membership.certificate_authority import Authority, SigningRequest
from folkmoot_coordinator.membership.councils import record_certificate
from folkmoot_coordinator.signing import SigningKey
from folkmoot_node.federation.identity import KeyFiles, create_request, keep_membership
from folkmoot_node.operations.initialise import initialise, name_coordinator
from folkmoot_node.pipeline.local import score
from folkmoot_node.pipeline.own_run import Judged
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.settings.node_toml import NodeConfig, load_config
from folkmoot_node.sources.connect import Plugins, load_plugins
from folkmoot_node.store.encrypted_file import StoreKey, read_key
from folkmoot_node.store.reader import HouseholdStore, open_store
from folkmoot_operator.private_files import make_private_folder, write_private
from tests.ports import free_port

COUNCILS = (TRAFFORD, BURY)
CERTIFICATE_DAYS = 825
"""The most that a coordinator may set."""
MAX_SEQUENCE_DAYS = 280
EXTRACTS = {"spring": 210, "autumn": 330}
"""Households in each council's records, by the name of the extract."""


@dataclass(frozen=True)
class Scenery:
    """Files to copy, and the wires that all sequences use one after the other.

    Attributes:
        folder: Where the originals lie.
        start: When sequences begin, seconds since 1970-01-01T00:00:00Z: midnight, so long
            ago that TLS, which knows no other clock than the machine's, accepts the
            certificates whatever the simulated time.
        authority: The region's.
        signing: The coordinator's signing key.
        stranger: A signing key of nobody.
        wires: One for each council.
        stores: The scored households of each council and extract, open for reading.
        plugins: Those of each council, loaded.
        closing: Closed after the last sequence.
    """

    folder: Path
    start: int
    authority: Authority
    signing: SigningKey
    stranger: SigningKey
    wires: dict[str, Wire]
    stores: dict[tuple[str, str], HouseholdStore]
    plugins: dict[str, Plugins]
    closing: ExitStack

    def node(self, council: str) -> Path:
        """The original of a node's home folder."""
        return self.folder / council

    def extract(self, council: str, name: str) -> Path:
        """The store of a council after scoring that extract."""
        return self.folder / f"{council}-{name}"

    @contextmanager
    def open_store(
        self, path: Path, key: StoreKey, *, threads: int = 2
    ) -> Iterator[HouseholdStore]:
        """Stands for the node's `open_store`, with an original that is open already.

        Opening an encrypted store takes longer than the rest of a visit. What a node reads
        there does not fail in these simulations.
        """
        content = path.stat().st_mtime_ns
        for (council, name), store in self.stores.items():
            if (self.extract(council, name) / path.name).stat().st_mtime_ns == content:
                yield store
                return
        raise AssertionError("a store that is no copy of an original")

    @contextmanager
    def load_plugins(self, config: NodeConfig) -> Iterator[Plugins]:
        """Stands for the node's `load_plugins`, with those that are loaded already.

        The first visit of each sequence publishes a catalogue, and nothing else loads any. No
        fault of these simulations is a plugin's.
        """
        yield self.plugins[config.council]

    @property
    def coordinator(self) -> Path:
        """The original of the coordinator's home folder."""
        return self.folder / "coordinator"


def make_scenery(folder: Path) -> Scenery:
    """Makes the originals in `folder`, and starts the wires."""
    start = system_clock() // DAY * DAY - (MAX_SEQUENCE_DAYS + 20) * DAY
    home = Home(folder / "coordinator")
    make_private_folder(home.path)
    make_private_folder(home.keys)
    text = settings_text("Test", ("127.0.0.1",), "127.0.0.1", free_port(), free_port())
    text = text.replace("server_days = 90", f"server_days = {CERTIFICATE_DAYS}")
    write_private(home.settings_file, text.encode(), replace=True)
    settings = home.settings()
    authority = Authority.create(home.keys, "Test", start)
    signing = SigningKey.create(home.keys)
    (folder / "stranger").mkdir()
    scenery = Scenery(
        folder,
        start,
        authority,
        signing,
        SigningKey.create(folder / "stranger"),
        {
            council: Wire(authority, settings.collection.address, signing, start)
            for council in COUNCILS
        },
        {},
        {},
        ExitStack(),
    )
    for wire in scenery.wires.values():
        scenery.closing.callback(wire.stop)
    database = Database(home.database_url(settings))
    database.create()
    for council in COUNCILS:
        _make_node(scenery, council, database)
    database.close()
    return scenery


def _make_node(scenery: Scenery, council: str, database: Database) -> None:
    home = scenery.node(council)
    initialise(home, council, NAMES[council], "0.5", "1", "2")
    (home / "mappings" / "council_tax.toml").write_text(MAPPING)
    (home / "risk-policy.toml").write_text(RISK_POLICY)
    with (home / "node.toml").open("a") as file:
        file.write(SOURCES)
    name_coordinator(load_config(home), scenery.wires[council].address, "127.0.0.1:9")
    config = load_config(home)
    files = KeyFiles(home / "keys")
    request = SigningRequest.parse(create_request(files, config.council))
    issued = scenery.authority.issue_node_certificate(
        request, GssCode(council), scenery.start, CERTIFICATE_DAYS
    )
    keep_membership(files, issued.certificate, scenery.authority.der, scenery.signing.public)
    with database.writing() as session:
        record_certificate(session, issued)
    today = datetime.datetime.fromtimestamp(scenery.start, datetime.UTC).date()
    key = read_key(config.key_file)
    plugins = scenery.plugins[council] = scenery.closing.enter_context(load_plugins(config))
    for name, households in EXTRACTS.items():
        rows = household_rows(council, households)
        (home / "extracts" / "council_tax.csv").write_text(
            "\n".join(["UPRN,Arrears,Support,LSOA", *rows]) + "\n"
        )
        policy = load_policy(config.risk_policy)
        score(config, plugins, policy, today=today, judged=Judged())
        kept = scenery.extract(council, name)
        shutil.copytree(config.store_path.parent, kept)
        opened = open_store(kept / config.store_path.name, key)
        scenery.stores[council, name] = scenery.closing.enter_context(opened)
