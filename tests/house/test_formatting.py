"""Numbers in tables, logs and cards."""

import re

import pytest
from places import ROOT

from ggdr.formatting import format_interval, format_with_error, significant


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (194.7, "194.7"), (12345.6, "12346"), (1234567, "1234567"), (5.0, "5"), (100.0, "100"), (0.0, "0"),
        (-2.16666, "-2.167"), (0.00123456, "0.001235"), (1e-7, "1e-07"), (2.5e15, "2.5e+15"), (float("nan"), "nan"),
    ],
)  # fmt: skip
def test_a_number_has_four_digits_and_no_exponent_where_plain_digits_do(value, text):
    assert significant(value) == text


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (194.7, 140.0, "190 ± 140"), (5.0, 2.2, "5.0 ± 2.2"), (4.123456, 0.00012, "4.12346 ± 0.00012"),
        (12.3, 0.0996, "12.30 ± 0.10"), (-4.0, 0.0, "-4 ± 0"), (float("nan"), 1.0, "nan ± 1.0"),
        (1.0, float("nan"), "1 ± nan"),
    ],
)  # fmt: skip
def test_a_value_and_its_error_end_at_the_same_place(value, error, text):
    assert format_with_error(value, error) == text
    assert format_with_error(abs(value), error, "+").startswith("+")


def test_both_ends_of_an_interval_have_as_many_decimals():
    assert format_interval(3.0812, 3.1634) == "3.0812 .. 3.1634"
    assert format_interval(-12345.0, 4.0) == "-12345 .. 4"
    assert format_interval(1.0, 1.0) == "1 .. 1" and format_interval(0.5192, 0.522) == "0.51920 .. 0.52200"


def test_no_table_or_log_writes_significant_digits_by_itself():
    """`:.3g` makes 1234 "1.23e+03"; of tiny differences, which export tells, that is meant."""
    meant = {"figures.py", "export.py", "files.py", "zoo_measure.py"}
    files = (file for folder in ("ggdr", "scripts") for file in (ROOT / folder).rglob("*.py"))
    assert not [f.name for f in files if re.search(r"[^,]\.\dg\}", f.read_text()) and f.name not in meant]
