"""Fields of sources that no setting changes, as a vendor writes them down for the manifest."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from folkmoot_kit.provenance.declarations import DeclaredField
from folkmoot_kit.provenance.signed import read_bounded
from folkmoot_operator.problems import ExitCode, Problem

_FIELDS = TypeAdapter(dict[str, tuple[DeclaredField, ...]])


def read_fields(path: Path) -> dict[str, tuple[DeclaredField, ...]]:
    """Reads a JSON file of lists of fields, by kind of source.

    Args:
        path: Such as `{"meters": [{"name": "usage", "type": "number", "unit": "kWh"}]}`. A field
            that is an outcome has `"outcome": true` too.

    Raises:
        Problem: Exit code DATA, naming what is wrong.
    """
    content = read_bounded(path, "the list of fields")
    try:
        json.loads(content)
        return _FIELDS.validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        problem = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    except (ValueError, RecursionError):
        problem = "is not JSON"
    raise Problem(
        problem,
        where=str(path),
        remedy='Write {"KIND": [{"name": "...", "type": "number", "unit": "kWh"}]}',
        exit_code=ExitCode.DATA,
    )
