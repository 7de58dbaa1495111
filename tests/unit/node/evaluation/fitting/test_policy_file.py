"""A proposed file: other weights and bands, and all else as its owner wrote it."""

from __future__ import annotations

import pytest

from folkmoot_node.evaluation.fitting.policy_file import proposed_text, require_replaceable
from folkmoot_node.policies.risk_policy import parse_policy
from folkmoot_operator.problems import ExitCode, Problem

TEXT = """# The winter policy.
schema = 1
name = "Winter"  # [[factors]] are below
purpose = "winter"
legal_basis = "Localism Act 2011, s.1"
owner = "Head of Housing"
sunset = 2027-03-31

# First factor.
[[factors]]
factor = "arrears"
weight = 60      # as in 2019
[factors.parameters]
full = 2000
weight = 7       # a parameter, which is no weight

# Second factor.
[[ factors ]]
  weight=30.5
  factor = "alone"

[[factors]]
factor = "renting"
weight = 9
parameters = { weight = 4 }
# About bands.
[[bands]]
name = "none"
from = 0
action = "from = 3"
[[bands]]
name = "high"
action = "Call"
from = 45  # and more

[attributes.tenure]
field = "tenure"
"""


def policy(text=TEXT):
    return parse_policy(text.encode(), "risk-policy.toml")


def changed(text=TEXT, points=None, bands=(0, 12.3)):
    points = {"arrears": 41, "alone": 2} if points is None else points
    return proposed_text(policy(text), points, bands, ("Line one.", ""))


def test_weights_and_bands_change_and_nothing_else_does():
    found = changed(points={"arrears": 41, "alone": 2, "renting": 5})
    expected = TEXT
    for old, new in (
        ("weight = 60 ", "weight = 41 "),
        ("weight=30.5", "weight=2"),
        ("weight = 9\n", "weight = 5\n"),
        ("from = 45 ", "from = 12.3 "),
    ):
        assert expected.count(old) == 1
        expected = expected.replace(old, new)
    assert found == "# Line one.\n#\n" + expected


def test_no_gap_is_left_where_a_factor_stood():
    text = TEXT.replace("# About bands.", "\n# About bands.")
    assert "\n\n\n" not in changed(text, {"arrears": 41, "alone": 2})


@pytest.mark.parametrize("dropped", ["arrears", "alone", "renting"])
def test_a_factor_without_points_goes_with_its_parameters_and_the_next_keeps_its_comment(dropped):
    points = {name: 10 for name in ("arrears", "alone", "renting") if name != dropped}
    found = changed(points=points)
    read = parse_policy(found.encode(), "x")
    assert [entry.factor for entry in read.factors] == list(points)
    assert "# About bands." in found
    assert "# Second factor." in found
    assert ("full = 2000" in found) == (dropped != "arrears")


LEVELS = """[attributes.behind]
factor = "arrears"
breaks = [0.5]
levels = ["no", "yes"]  # as rounds ask

# By which letters go out.
[attributes.rents]
field = "tenure"
"""


@pytest.mark.parametrize("dropped", ["arrears", "alone"])
def test_levels_of_a_factor_go_with_it(dropped):
    points = {name: 10 for name in ("arrears", "alone", "renting") if name != dropped}
    found = changed(TEXT + LEVELS, points)
    names = [*parse_policy(found.encode(), "x").document.attributes]
    assert names == ["tenure", *(["behind"] if dropped == "alone" else []), "rents"]
    assert ("as rounds ask" in found) == (dropped == "alone")
    assert "# By which letters go out." in found


def test_lines_may_end_as_windows_ends_them_and_begin_with_a_mark():
    text = "\ufeff" + TEXT.replace("\n", "\r\n")
    found = changed(text, points={"arrears": 41, "alone": 2, "renting": 5})
    assert "weight = 41      # as in 2019\r\n" in found
    assert "\ufeff" not in found


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace(
            TEXT[TEXT.index("# First") : TEXT.index("# About")],
            "",
        ).replace("schema = 1\n", 'schema = 1\nfactors = [{ factor = "arrears", weight = 60 }]\n'),
        TEXT.replace("from = 45  # and more", '"from" = 45'),
    ],
    ids=["inline", "quoted"],
)
def test_a_file_in_which_values_cannot_be_replaced_is_refused_and_not_half_changed(text):
    for attempt in (
        lambda: changed(text, points={"arrears": 41}),
        lambda: require_replaceable(policy(text)),
    ):
        with pytest.raises(Problem) as refused:
            attempt()
        assert refused.value.exit_code == ExitCode.SETTINGS
        assert "lines of their own" in refused.value.remedy


def test_a_file_in_which_they_can_be_replaced_passes():
    require_replaceable(policy())
