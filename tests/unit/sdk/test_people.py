"""Made-up people are of a kind that sources accept, and are nobody."""

import datetime
import re

from folkmoot_sdk.geography import POSTCODE
from folkmoot_sdk.people import people

TODAY = datetime.date(2026, 4, 1)


def check_digit_is_right(number):
    total = sum(int(d) * w for d, w in zip(number[:9], range(10, 1, -1), strict=True))
    return (11 - total % 11) % 11 == int(number[9])


def test_people_are_alike_each_time_and_differ_by_seed():
    assert people(50, TODAY) == people(50, TODAY)
    assert people(50, TODAY) != people(50, TODAY, seed=2)


def test_values_are_of_the_kind_that_registers_hold():
    drawn = people(400, TODAY)
    assert len({person.nhs_number for person in drawn}) == 400
    for person in drawn:
        assert re.fullmatch(r"999[0-9]{7}", person.nhs_number)
        assert check_digit_is_right(person.nhs_number)
        assert re.fullmatch(POSTCODE, person.postcode.replace(" ", ""))
        assert person.date_of_birth <= TODAY
        assert 0 < person.uprn < 10**12
    homes = {(person.uprn, person.address, person.postcode) for person in drawn}
    assert len(homes) == len({person.uprn for person in drawn}) < 400
    assert any(not person.forename.isascii() for person in drawn)
