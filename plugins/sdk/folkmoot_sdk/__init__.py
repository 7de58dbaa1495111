"""What a vendor needs to write plugins for a Folkmoot node.

A plugin is a distribution with an entry point in the group `folkmoot`, whose module
implements one or both hooks of `folkmoot_sdk.hooks`. Import this package alone.
"""

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
from folkmoot_sdk.source import DataSource, ReadContext, Records, Rejection

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
    "hookimpl",
    "parameter",
]
