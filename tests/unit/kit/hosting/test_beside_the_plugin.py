"""Little runs beside a plugin: what is imported there, what is open."""

import datetime
import json

import pytest

from folkmoot_kit.hosting import make_factor
from folkmoot_sdk import ScoringContext

CONTEXT = ScoringContext(datetime.date(2026, 4, 1))
LOOK = """
import json
def descriptors():
    for number in range(64):
        try:
            os.lseek(number, 0, os.SEEK_CUR)
        except OSError as error:
            if error.errno == 9:
                continue
        yield number
found = [list(descriptors()), dict(os.environ), sys.stdin is None]
Factor.explain = lambda self, values, score, context: json.dumps(found[values["debt"]])
"""


@pytest.fixture
def look(opened, factor_text):
    factor = make_factor(opened(factor_text, LOOK).factors["debt"], {}, "p")

    def at(place):
        return json.loads(factor.explain({"debt": place}, 0.5, CONTEXT))

    return at


def test_three_descriptors_are_open(look):
    assert look(0) == [0, 1, 2]


def test_the_environment_names_nothing_of_the_machine(look):
    environment = look(1)
    assert not {"USER", "PYTHONPATH", "VIRTUAL_ENV", "LOGNAME"} & set(environment)
    assert environment.get("PWD", "/") == "/"
    assert environment["HOME"] == environment["PATH"] == "/nonexistent"


def test_standard_input_is_not_the_channel(look):
    assert look(2) is True


UNWANTED = (
    "pandas", "pydantic", "polars", "cryptography", "typer", "rich", "folkmoot_operator",
    "folkmoot_kit.hosting", "folkmoot_kit.confinement.processes", "folkmoot_node",
)  # fmt: skip


def test_what_no_plugin_asked_for_is_not_imported(opened, factor_text):
    more = f"""
    loaded = [name for name in {UNWANTED!r} if name in sys.modules]
    Factor.explain = lambda self, values, score, context: repr(loaded)
    """
    factor = make_factor(opened(factor_text, more).factors["debt"], {}, "p")
    assert factor.explain({}, 0.5, CONTEXT) == "[]"
