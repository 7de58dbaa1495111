"""A node's home with sources that name files, and a release policy that can be signed."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from folkmoot_node.plugins.installed import InstalledPlugin
from folkmoot_node.policies.release_policy import sign
from folkmoot_node.settings.node_toml import NodeConfig, load_config
from tests.council_files import release_policy

DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64
NODE = """
schema = 1
council = "E08000009"
name = "Trafford"
[scoring]
frame = "tax"
[[sources]]
name = "tax"
kind = "extracts"
[sources.options]
mapping = "mappings/tax.toml"
"""
ALLOWED = f"""
[plugins.allowed.meters]
version = "1.2.0"
wheel = "{DIGEST}"
content = "{DIGEST}"
"""
RELEASE = release_policy(sunset="2099-03-31", losses=(0.1, 1, 10))
SIGNING = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@dataclass
class Home:
    """A home whose settings and release policy a test writes."""

    folder: Path

    def config(self, more: str = "") -> NodeConfig:
        (self.folder / "node.toml").write_text(NODE + more)
        return load_config(self.folder)

    def sign(self, more: str = "", key: Ed25519PrivateKey = SIGNING) -> None:
        policy = self.folder / "release-policy.toml"
        policy.write_text(RELEASE + more)
        sign(policy, key.private_bytes_raw(), "A. Khan, DPO", 1_790_000_000)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    for name in ("keys", "mappings", "extracts", "store"):
        (tmp_path / name).mkdir(mode=0o700)
    (tmp_path / "mappings" / "tax.toml").write_text("")
    public = SIGNING.public_key().public_bytes_raw()
    (tmp_path / "keys" / "policy-signing.pub").write_text(public.hex())
    return Home(tmp_path)


def plugin(name: str = "meters", version: str = "1.2.0") -> InstalledPlugin:
    return InstalledPlugin(name, version, (EntryPoint(name, name, "folkmoot"),))
