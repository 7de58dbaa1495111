"""What the levels of a comparison allow: when a pair may be linked, whatever its weight.

The model assumes that identifiers are independent. Within a family they are not: twins share
surname, date of birth and postcode; a father and a son share both names and the postcode. These
conditions send such pairs to a person, so that they are never linked by weight alone.
"""

from __future__ import annotations

import polars as pl

from folkmoot_node.linkage.person_model import CONFLICT, INITIAL, NHS_NUMBER, UNKNOWN, PersonModel


def may_link(model: PersonModel) -> pl.Expr:
    """Whether a pair's identifiers allow that both are one person.

    Either the NHS numbers are equal; or the dates of birth are known and do not contradict
    each other, neither do forenames and NHS numbers, and one of the names agrees.
    """
    forename, surname, dob = (_level(model, name) for name in ("forename", "surname", "dob"))
    a_name_agrees = (forename > 0) | (surname > 0)
    allowed = (dob > 0) & (forename != 0) & a_name_agrees
    return _with_nhs_number(model, allowed)


def one_person(model: PersonModel) -> pl.Expr:
    """Whether two known people may be taken for one: the same, and both forenames are known.

    Without forenames, or by an initial, a record would tie twins together.
    """
    forename, dob = _level(model, "forename"), _level(model, "dob")
    initial = model["forename"].number(INITIAL)
    return _with_nhs_number(model, (dob > 0) & (forename > 0) & (forename != initial))


def _with_nhs_number(model: PersonModel, allowed: pl.Expr) -> pl.Expr:
    if not any(comparison.name == NHS_NUMBER for comparison in model.comparisons):
        return allowed
    number = _level(model, NHS_NUMBER)
    conflict = model[NHS_NUMBER].number(CONFLICT)
    return (number > conflict) | ((number == UNKNOWN) & allowed)


def _level(model: PersonModel, name: str) -> pl.Expr:
    # `conflict` is the last level of the comparisons that are asked for here, number 0.
    assert model[name].number(CONFLICT) == 0
    return pl.col(name)
