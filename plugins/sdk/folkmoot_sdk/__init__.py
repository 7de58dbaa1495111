"""What a vendor needs to write plugins for a Folkmoot node.

A plugin is a distribution with an entry point in the group `folkmoot`, whose module
implements one or both hooks of `folkmoot_sdk.hooks`. Import this package alone.
"""

from typing import TYPE_CHECKING

from folkmoot_sdk.errors import PluginError
from folkmoot_sdk.factor import Evidence, Input, NoParameters, RiskFactor, ScoringContext
from folkmoot_sdk.hooks import hookimpl
from folkmoot_sdk.parameters import parameter
from folkmoot_sdk.schema import (
    Category,
    Combine,
    Field,
    FieldType,
    Identifier,
    ProtectedCharacteristic,
    RecordLevel,
    Schema,
)
from folkmoot_sdk.secret import Secret
from folkmoot_sdk.source import DataSource, ReadContext, Records, Rejection, SourceOptions

if TYPE_CHECKING:
    __version__: str
    """Version of the SDK, such as `0.1.0`."""
else:

    def __getattr__(name: str) -> str:
        if name != "__version__":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib.metadata import version

        return version("folkmoot-sdk")


__all__ = [
    "Category",
    "Combine",
    "DataSource",
    "Evidence",
    "Field",
    "FieldType",
    "Identifier",
    "Input",
    "NoParameters",
    "PluginError",
    "ProtectedCharacteristic",
    "ReadContext",
    "RecordLevel",
    "Records",
    "Rejection",
    "RiskFactor",
    "Schema",
    "ScoringContext",
    "Secret",
    "SourceOptions",
    "__version__",
    "hookimpl",
    "parameter",
]
