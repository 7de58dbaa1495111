"""The check digit of NHS numbers, against the definition written out."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot_plugin_extracts.nhs_number import NhsNumber


def is_sound(text):
    digits = [int(character) for character in text]
    check = 11 - sum(d * w for d, w in zip(digits[:9], range(10, 1, -1), strict=True)) % 11
    return check != 10 and (0 if check == 11 else check) == digits[9] and any(digits)


@given(st.lists(st.from_regex(r"[0-9]{10}", fullmatch=True), min_size=1, max_size=50))
def test_the_check_digit(numbers):
    parsed = NhsNumber().parse(pl.Series(numbers))
    assert parsed.to_list() == [number if is_sound(number) else None for number in numbers]


@given(st.from_regex(r"[0-9]{9}", fullmatch=True).filter(lambda nine: int(nine) > 0))
def test_of_ten_last_digits_at_most_one_is_sound(nine):
    parsed = NhsNumber().parse(pl.Series([f"{nine}{last}" for last in range(10)]))
    assert parsed.drop_nulls().len() == any(is_sound(f"{nine}{last}") for last in range(10))


@pytest.mark.parametrize("text", ["9434765919", "943 476 5919", "943-476-5919", "999 000 0026"])
def test_numbers_are_read_with_and_without_spaces(text):
    (number,) = NhsNumber().parse(pl.Series([text]))
    assert number == text.replace(" ", "").replace("-", "")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("9434765918", "the check digit is wrong"),
        ("943 476 5910", "the check digit is wrong"),
        ("0000000000", "stands for an NHS number that is not known"),
        ("222 222 2222", "stands for an NHS number that is not known"),
        ("9999999999", "stands for an NHS number that is not known"),
        ("943476591", "of ten digits"),
        ("94347659190", "of ten digits"),
        ("943476591X", "of ten digits"),
        ("٩٤٣٤٧٦٥٩١٩", "of ten digits"),
        ("94.34765919", "of ten digits"),
        ("-943476591", "of ten digits"),
    ],
)
def test_what_is_no_number_is_said_without_quoting_it(text, fault):
    reader = NhsNumber()
    assert reader.parse(pl.Series([text])).to_list() == [None]
    assert fault in reader.fault(text)
    assert text not in reader.fault(text)
    assert not reader.quotable


def test_a_missing_number_stays_missing():
    assert NhsNumber().parse(pl.Series([None], dtype=pl.String)).to_list() == [None]
