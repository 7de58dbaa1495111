"""Secrets that a source gets when it reads, and not before.

Settings are joined to sources also where nobody can read the secrets: to explain a score, say. So
a source is made with secrets that are still empty, and the node sends them with the call to read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from folkmoot_sdk.errors import PluginError
from folkmoot_sdk.secret import Secret


class HeldSecrets:
    """The secrets of one source."""

    def __init__(self, keys: Iterable[str]) -> None:
        """Holds none yet.

        Args:
            keys: Options that are secrets.
        """
        self._keys = tuple(keys)
        self._texts: dict[str, str] = {}

    def options(self) -> dict[str, Secret]:
        """The options, as the plugin gets them."""
        return {key: Secret(self._reader(key)) for key in self._keys}

    def take(self, sent: Mapping[str, Any]) -> None:
        """Takes what the node sends with the call to read."""
        self._texts = {key: str(text) for key, text in sent.items()}

    def _reader(self, key: str) -> Any:
        def read() -> str:
            if key not in self._texts:
                raise PluginError(
                    f"options.{key}",
                    "is a secret, which a source gets when it reads and not before",
                    "Ask for it in `read`",
                )
            return self._texts[key]

        return read
