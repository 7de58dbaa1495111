"""What the levels of a comparison allow: when a pair may be linked, whatever its weight.

The model assumes that identifiers are independent. Within a family they are not: twins share
surname, date of birth and postcode; a father and a son share both names and the postcode. These
conditions send such pairs to a person, so that they are never linked by weight alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import polars as pl

from folkmoot_node.linkage.person_model import CONFLICT, INITIAL, NHS_NUMBER, UNKNOWN, PersonModel


@dataclass(frozen=True, slots=True)
class Relatives:
    """Shares of known people who have a relative at home that identifiers hardly distinguish.

    Attributes:
        twins: With another forename, of one surname and date of birth; above 0.
        namesakes: With another date of birth, of one forename and surname; above 0.
    """

    twins: float
    namesakes: float


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may be one person although an identifier contradicts or is missing.

    Attributes:
        other_forename: Where surname and date of birth are equal and the postcode is near.
        other_date: Where both names agree and the postcode is equal.
        no_date: The same, where a date of birth is not known.
    """

    other_forename: bool = False
    other_date: bool = False
    no_date: bool = False


def allowed_by(model: PersonModel, known: Relatives, accept: float) -> Allowed:
    """What the council's own records allow.

    Such a record is the person's, wrongly written, or a relative's whom nobody has recorded. It
    may be linked if the first is so much likelier that its probability is `accept` or more.

    Args:
        model: With the m of the council's own records.
        known: How common such relatives are.
        accept: Least probability of a link.
    """

    def likelier(written_so: float, relatives: float) -> bool:
        unrecorded = relatives * (1 - model.coverage)
        return math.log2(written_so / unrecorded) >= math.log2(accept / (1 - accept))

    conflict = {name: model[name].levels[-1].m for name in ("forename", "dob")}
    return Allowed(
        other_forename=likelier(conflict["forename"], known.twins),
        other_date=likelier(conflict["dob"], known.namesakes),
        no_date=likelier(1.0, known.namesakes),
    )


def may_link(model: PersonModel, also: Allowed = Allowed()) -> pl.Expr:
    """Whether a pair's identifiers allow that both are one person.

    Either the NHS numbers are equal, and name and date of birth do not both say otherwise; or
    the dates of birth are known and do not contradict each other, neither do forenames and NHS
    numbers, and one of the names agrees.

    Args:
        model: How people are compared.
        also: What else may be one person.
    """
    forename, surname, dob = (_level(model, name) for name in ("forename", "surname", "dob"))
    a_name_agrees = (forename > 0) | (surname > 0)
    allowed = (dob > 0) & (forename != 0) & a_name_agrees
    postcode, names = pl.col("postcode"), (forename > 0) & (surname > 0)
    names &= forename != model["forename"].number(INITIAL)
    here = names & (postcode == _best(model, "postcode"))
    if also.other_forename:
        allowed |= (dob == _best(model, "dob")) & (forename == 0) & (surname > 0) & (postcode > 0)
    if also.other_date:
        allowed |= here & (dob == 0)
    if also.no_date:
        allowed |= here & (dob == UNKNOWN)
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
    return ((number > conflict) & ~_others(model)) | ((number == UNKNOWN) & allowed)


def _others(model: PersonModel) -> pl.Expr:
    """Whether a pair is plainly two people: a name and the date of birth contradict each other."""
    forename, surname, dob = (_level(model, name) for name in ("forename", "surname", "dob"))
    return ((forename == 0) | (surname == 0)) & (dob == 0)


def _best(model: PersonModel, name: str) -> int:
    """The level of equal values."""
    return len(model[name].levels) - 1


def _level(model: PersonModel, name: str) -> pl.Expr:
    # `conflict` is the last level of the comparisons that are asked for here, number 0.
    assert model[name].number(CONFLICT) == 0
    return pl.col(name)
