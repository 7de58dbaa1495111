"""Fit files: what is refused, and that the message names the key and a way out."""

from __future__ import annotations

import re

import pytest

from folkmoot_node.evaluation.fitting.fit_file import FitFile, check_names, outcome_of
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import parse

FILE = 'schema = 1\nevaluation = "evaluation.toml"\n'


def read(text: str) -> FitFile:
    return parse(FitFile, (FILE + text).encode(), "fit.toml")


def check(text: str) -> None:
    check_names(
        read(text),
        "fit.toml",
        factors=["arrears", "damp", "isolation"],
        protected=["isolation"],
        capacity=[100],
        held=["ethnic_group"],
    )


@pytest.mark.parametrize(
    "text,key",
    [
        ('keep = ["damp"]\nleave_out = ["damp"]', "damp"),
        ("points = 9", "points"),
        ("most_points = 0", "most_points"),
        ("most = { damp = 1001 }", "most"),
        ('[[recall]]\nfield = "ethnic_group"\ncapacity = 100\nleast = 1.01', "least"),
        ('[[recall]]\nfield = "ethnic_group"\ncapacity = 100\nleast = 0', "least"),
        ("leave = []", "leave_out"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_with_its_key(text, key):
    with pytest.raises(Problem) as refused:
        read(text)
    assert refused.value.exit_code == ExitCode.SETTINGS
    assert key in refused.value.problem


@pytest.mark.parametrize(
    "text,where",
    [
        ('keep = ["damps"]', "fit.toml: keep"),
        ('leave_out = ["damps"]', "fit.toml: leave_out"),
        ("most = { damps = 5 }", "fit.toml: most"),
        ('keep = ["isolation"]', "fit.toml: keep"),
        ('[[recall]]\nfield = "x"\ncapacity = 100\nleast = 0.5', "fit.toml: recall[0].field"),
        (
            '[[recall]]\nfield = "ethnic_group"\ncapacity = 99\nleast = 0.5',
            "fit.toml: recall[0].capacity",
        ),
    ],
)
def test_names_that_nothing_has_are_refused(text, where):
    with pytest.raises(Problem) as refused:
        check(text)
    assert refused.value.where == where
    assert re.match("Name (one of|a field)|Take it out|Give one of", str(refused.value.remedy))


def test_a_protected_factor_may_be_kept_where_the_file_says_so():
    check('keep = ["isolation"]\nprotected_inputs = true')


def test_the_outcome_is_named_where_there_are_several():
    assert outcome_of(read(""), "fit.toml", ["homeless"]) == "homeless"
    assert outcome_of(read('outcome = "b"'), "fit.toml", ["a", "b"]) == "b"
    for text, outcomes in (("", ["a", "b"]), ('outcome = "c"', ["a"])):
        with pytest.raises(Problem) as refused:
            outcome_of(read(text), "fit.toml", outcomes)
        assert refused.value.where == "fit.toml: outcome"


def test_a_limit_of_one_factor_does_not_lift_that_of_all():
    found = read("most_points = 20\nmost = { damp = 30, arrears = 5 }")
    assert [found.most_of(name) for name in ("damp", "arrears", "isolation")] == [20, 5, 20]
