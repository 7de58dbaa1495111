"""The skeleton of a new plugin: a distribution that already passes its tests and its checks."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from folkmoot_operator.problems import ExitCode, Problem

_NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
_PREFIX = "folkmoot-plugin-"
_LONGEST_NAME = 30
_TAKEN = re.compile(r"^(?:from [\w.]+ )?import (?:\((?P<several>[^)]*)\)|(?P<some>.*))$", re.M)
_SUFFIX = ".tmpl"
_RESERVED = {"account_status", "area", "record_date", "uprn"}
"""Names of columns that the records of a skeleton have beside its fields."""


class Kind(Enum):
    """What a skeleton is of."""

    FACTOR = "factor"
    MODEL = "model"
    SOURCE = "source"
    AREA = "area"


@dataclass(frozen=True, slots=True)
class _Words:
    """What the shared files say of one kind."""

    noun: str
    summary: str
    dependencies: tuple[str, ...]
    test_dependencies: tuple[str, ...]
    check_options: str
    run_options: str
    shows: str
    settings: str
    replace: str


_FACTOR_SETTINGS = '[[factors]]  # of the risk policy\nfactor = "$name"\nweight = 10\n'
_SOURCE_SETTINGS = (
    '[[sources]]  # of node.toml\nname = "$name"\nkind = "$name"\n'
    '[sources.options]\nfile = "extracts/$name.csv"\n'
)
_FACTOR_SHOWS = "values, explanations and timings for the sample"
_SOURCE_SHOWS = "records, what could not be read, and timings"
_SOURCE_CHECK = " --source $name --options samples/options.toml"
_WORDS = {
    Kind.FACTOR: _Words(
        noun="risk factor",
        summary="A risk factor for Folkmoot nodes: `$name`, from 0 to 1 for each household.",
        dependencies=("numpy>=2",),
        test_dependencies=(),
        check_options="",
        run_options="--sample samples/households.csv",
        shows=_FACTOR_SHOWS,
        settings=_FACTOR_SETTINGS + "[factors.parameters]\narrears_full = 1000\n",
        replace="`$package/factor.py`: inputs, parameters, arithmetic, words and evidence. "
        "`samples/households.csv`: some\nhouseholds to try it on; an empty cell is unknown.\n",
    ),
    Kind.MODEL: _Words(
        noun="model",
        summary="A trained model as a risk factor for Folkmoot nodes: `$name`. See the "
        "[model card](MODEL_CARD.md).",
        dependencies=("numpy>=2",),
        test_dependencies=("scikit-learn>=1.5",),
        check_options="",
        run_options="--sample samples/households.csv",
        shows=_FACTOR_SHOWS,
        settings=_FACTOR_SETTINGS,
        replace="`training/households.csv` and `training/train.py`, which writes "
        "`$package/model.json`; the inputs and words in\n`$package/model.py`; the model card. "
        "The node needs NumPy alone: scikit-learn is for training.\n\nThe model is linear, so "
        "its explanations are exact. Where yours is not (trees, a network), explain by occlusion:\n"
        "score the household again with one input after the other at a stated reference value. "
        "Folkmoot's\n`examples/onnx-model-factor` does that with an ONNX file.\n",
    ),
    Kind.SOURCE: _Words(
        noun="data source",
        summary="A data source for Folkmoot nodes: `$name` reads an export (CSV) of accounts.",
        dependencies=("polars>=1.30",),
        test_dependencies=(),
        check_options=_SOURCE_CHECK,
        run_options="--source $name --options samples/options.toml",
        shows=_SOURCE_SHOWS,
        settings=_SOURCE_SETTINGS,
        replace="`$package/source.py`: options, schema, columns and rules. `samples/`: an export "
        "of people who do not exist, with every\nfault that yours can have.\n",
    ),
    Kind.AREA: _Words(
        noun="source about areas",
        summary="A data source for Folkmoot nodes: `$name`, a published figure about each area.",
        dependencies=("polars>=1.30",),
        test_dependencies=(),
        check_options=_SOURCE_CHECK,
        run_options="--source $name --options samples/options.toml",
        shows=_SOURCE_SHOWS,
        settings=_SOURCE_SETTINGS,
        replace="`$package/source.py`: the type of the areas, fields and columns. `samples/`: some "
        "areas, with every fault that the\npublished table can have.\n",
    ),
}


def write(name: str, kind: Kind, folder: Path) -> tuple[Path, ...]:
    """Writes a distribution named after `name` into a new folder.

    Args:
        name: Lower-case words joined by hyphens or underscores, such as `energy-debt`; a
            leading `folkmoot-plugin-` is allowed.
        kind: What it is.
        folder: Where the new folder `folkmoot-plugin-NAME` is made.

    Returns:
        The folder, and the files written.

    Raises:
        Problem: If the name is not valid, or the folder exists or cannot be made.
    """
    words = _named(name, kind)
    root = folder / words["distribution"]
    try:
        root.mkdir(parents=True)
    except FileExistsError:
        raise Problem(
            "exists already",
            where=str(root),
            remedy="Choose another name, or remove the folder",
            exit_code=ExitCode.SETTINGS,
        ) from None
    except OSError as error:
        raise Problem(
            f"cannot be made ({error.strerror})",
            where=str(root),
            remedy="Choose another --folder",
            exit_code=ExitCode.SETTINGS,
        ) from None
    written = [root]
    for path, text in _files(kind):
        target = root / path.replace("PACKAGE", words["package"])
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(Template(text).substitute(words), encoding="utf-8")
        written.append(target)
    return tuple(written)


def _named(name: str, kind: Kind) -> dict[str, str]:
    """What stands for the placeholders of the templates."""
    short = name.removeprefix(_PREFIX)
    if not _NAME.fullmatch(short) or len(short) > _LONGEST_NAME:
        raise Problem(
            "is not made of lower-case words joined by hyphens",
            where=f"name {name!r}",
            remedy="Choose a name such as energy-debt",
            exit_code=ExitCode.SETTINGS,
        )
    factor = short.replace("-", "_")
    class_name = "".join(part.capitalize() for part in factor.split("_"))
    if keyword.iskeyword(factor) or factor in _RESERVED or class_name in _imported(kind):
        raise Problem(
            "has a meaning of its own in the module",
            where=f"name {name!r}",
            remedy="Choose another name, of two words",
            exit_code=ExitCode.SETTINGS,
        )
    of_kind = _WORDS[kind]
    words = {
        "distribution": _PREFIX + factor.replace("_", "-"),
        "package": f"folkmoot_plugin_{factor}",
        "name": factor,
        "class_name": class_name,
        "title": factor.replace("_", " ").capitalize(),
        "noun": of_kind.noun,
        "sdk_bounds": sdk_bounds(),
        "dependencies": _listed(of_kind.dependencies),
        "test_dependencies": _listed(of_kind.test_dependencies),
    }
    for text in ("summary", "check_options", "run_options", "shows", "settings", "replace"):
        words[text] = Template(getattr(of_kind, text)).substitute(words)
    return words


def _listed(requirements: tuple[str, ...]) -> str:
    return "".join(f'    "{entry}",\n' for entry in requirements)


def sdk_bounds() -> str:
    """What a plugin that is written today requires of the SDK, such as `>=0.1,<0.2`.

    Before 1.0 a minor version may change what a plugin sees; from then on a major version.
    """
    import folkmoot_sdk

    major, minor, *_ = (int(part) for part in folkmoot_sdk.__version__.split(".")[:2])
    following = f"{major}.{minor + 1}" if major == 0 else f"{major + 1}"
    return f">={major}.{minor},<{following}"


def _imported(kind: Kind) -> set[str]:
    """Names that the modules of a skeleton import or define."""
    found = set()
    for path, text in _files(kind):
        if path.endswith(".py"):
            for match in _TAKEN.finditer(text):
                found |= set(re.findall(r"\w+", match["several"] or match["some"]))
            found |= set(re.findall(r"^class (\w+)", text, re.M))
    return found


def _files(kind: Kind) -> Iterator[tuple[str, str]]:
    """Path, with placeholders, and text of each file of a skeleton."""
    templates = resources.files(__package__) / "templates"
    for folder in ("all", kind.value):
        yield from _below(templates / folder, "")


def _below(folder: Traversable, path: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _below(entry, f"{path}{entry.name}/")
        else:
            yield path + entry.name.removesuffix(_SUFFIX), entry.read_text("utf-8")
