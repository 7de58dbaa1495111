"""The skeleton of a new plugin distribution: a risk factor that already conforms."""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from string import Template

from folkmoot_sdk.errors import PluginError

_NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
_PREFIX = "folkmoot-plugin-"
_TAKEN = {
    "Any", "Evidence", "FactorArray", "FieldType", "Input", "InputArrays", "Mapping",
    "RiskFactor", "ScoringContext", "Sequence",
}  # fmt: skip
"""Names that the modules of the skeleton import."""


def write(name: str, folder: Path) -> tuple[Path, ...]:
    """Writes a distribution named after `name` into a new folder.

    Args:
        name: Lower-case words joined by hyphens or underscores, such as `energy-debt`; a
            leading `folkmoot-plugin-` is allowed.
        folder: Where the new folder `folkmoot-plugin-NAME` is made.

    Returns:
        The files written.

    Raises:
        PluginError: If the name is not valid or the folder exists.
    """
    short = name.removeprefix(_PREFIX)
    if not _NAME.fullmatch(short) or len(short) > 40:
        raise PluginError(
            f"name {name!r}",
            "is not made of lower-case words joined by hyphens",
            "Choose a name such as energy-debt",
        )
    factor = short.replace("-", "_")
    class_name = "".join(part.capitalize() for part in factor.split("_"))
    if keyword.iskeyword(factor) or class_name in _TAKEN:
        raise PluginError(
            f"name {name!r}", "has a meaning of its own in the module", "Choose another name"
        )
    words = {
        "distribution": _PREFIX + factor.replace("_", "-"),
        "package": f"folkmoot_plugin_{factor}",
        "factor": factor,
        "class_name": class_name,
        "title": factor.replace("_", " ").capitalize(),
    }
    root = folder / words["distribution"]
    try:
        root.mkdir(parents=True)
    except FileExistsError:
        raise PluginError(
            str(root), "exists already", "Choose another name, or remove the folder"
        ) from None
    except OSError as error:
        raise PluginError(
            str(root), f"cannot be made ({error.strerror})", "Choose another --folder"
        ) from None
    written = []
    for path, text in _FILES.items():
        target = root / Template(path).substitute(words)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(Template(text).substitute(words), encoding="utf-8")
        written.append(target)
    return tuple(written)


_PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "$distribution"
version = "0.1.0"
description = "Folkmoot risk factor: $title"
requires-python = ">=3.11"
dependencies = ["folkmoot-sdk>=0.1", "numpy>=2"]

[project.entry-points.folkmoot]
$factor = "$package"

[tool.hatch.build.targets.wheel]
packages = ["$package"]
"""

_INIT = '''\
"""Folkmoot risk factor: $title."""

from __future__ import annotations

from collections.abc import Sequence

from folkmoot_sdk import RiskFactor, hookimpl

from $package.$factor import $class_name

__all__ = ["$class_name"]


@hookimpl
def folkmoot_risk_factors() -> Sequence[type[RiskFactor]]:
    """Registers the factor."""
    return [$class_name]
'''

_FACTOR = '''\
"""$title: what it is, and of whom it is true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from folkmoot_sdk import Evidence, FieldType, Input, RiskFactor, ScoringContext, parameter
from folkmoot_sdk.factor import FactorArray, InputArrays


@dataclass(frozen=True, slots=True)
class ${class_name}Parameters:
    """What a policy may set."""

    arrears_full: float = parameter(
        default=1000.0,
        unit="GBP",
        minimum=1.0,
        description="Arrears at which the score is 1.",
    )


class $class_name(RiskFactor):
    """Replace inputs, parameters and arithmetic with your own."""

    name = "$factor"
    title = "$title"
    description = "Council tax arrears in proportion to `arrears_full`, at most 1."
    domain = "finance"
    evidence = (Evidence("Replace this with author, year and title of what you rely on"),)
    inputs = (Input("council_tax_arrears", FieldType.NUMBER, unit="GBP"),)
    Parameters = ${class_name}Parameters

    def score(self, inputs: InputArrays, context: ScoringContext) -> FactorArray:
        """From 0 to 1 for each household, NaN where the arrears are not known."""
        share = inputs["council_tax_arrears"] / self.parameters.arrears_full
        result: FactorArray = np.clip(share, 0.0, 1.0)
        return result

    def explain(self, values: Mapping[str, Any], score: float, context: ScoringContext) -> str:
        """Says what is owed."""
        arrears = values["council_tax_arrears"]
        if arrears is None:
            return "Council tax arrears are not known."
        return f"Owes £{arrears:,.2f} of council tax."
'''

_TEST = '''\
"""The factor does what it declares, and what its description says."""

from __future__ import annotations

import datetime

import numpy as np
from folkmoot_sdk import ScoringContext
from folkmoot_sdk.conformance import check_factor
from $package import $class_name

CONTEXT = ScoringContext(datetime.date(2026, 4, 1))


def test_conforms() -> None:
    check_factor($class_name)


def test_half_the_arrears_are_half_the_score() -> None:
    factor = $class_name($class_name.Parameters(arrears_full=1000.0))
    scores = factor.score({"council_tax_arrears": np.array([0.0, 500.0, np.nan])}, CONTEXT)
    np.testing.assert_array_equal(scores, [0.0, 0.5, np.nan])
'''

_README = """\
# $distribution

A risk factor for Folkmoot nodes: $factor.

    pip install -e .
    folkmoot-plugin check $distribution
    pytest

A risk stratification policy uses it so:

```toml
[[factors]]
factor = "$factor"
weight = 10
[factors.parameters]
arrears_full = 1000
```
"""

_FILES = {
    "pyproject.toml": _PYPROJECT,
    "README.md": _README,
    "$package/__init__.py": _INIT,
    "$package/py.typed": "",
    "$package/$factor.py": _FACTOR,
    "tests/test_$factor.py": _TEST,
}
