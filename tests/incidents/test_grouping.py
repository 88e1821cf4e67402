"""Which symptoms are of one fault: by calls, through a service that shows nothing, and with care by namespace."""

from __future__ import annotations

import pytest
from support.incidents import CALLS, SHOP, symptom

from observatory.incidents.grouping import LARGEST_NAMESPACE, Bond, Grouping


@pytest.mark.parametrize(
    ("other", "bond"),
    [
        (symptom("shop/payments", 1, 20), Bond.SAME),
        (symptom("shop/checkout", 1, 20), Bond.CALLS),
        (symptom("shop/db", 1, 20), Bond.CALLS),
        (symptom("shop/web", 1, 20), Bond.THROUGH_OTHERS),
        (symptom("shop/web", 15, 20), Bond.NONE),
        (symptom("shop/search", 1, 20), Bond.NONE),
        (symptom("shop/checkout", 31, 40), Bond.NONE),
        (symptom("shop/checkout", 30, 40), Bond.CALLS),
        (symptom("nobody/knows", 1, 20), Bond.NONE),
    ],
)
def test_what_speaks_for_two_symptoms_being_of_one_fault(other, bond):
    grouping = Grouping(CALLS, SHOP)
    one = symptom("shop/payments", 0, 20)
    assert grouping.bond(one, other) is bond
    assert grouping.bond(other, one) is bond


def test_two_callers_of_one_service_that_is_well_are_not_related():
    grouping = Grouping([("a/x", "a/db"), ("a/y", "a/db")], ["a/x", "a/y", "a/db"])
    assert grouping.bond(symptom("a/x", 0, 9), symptom("a/y", 0, 9)) is Bond.NONE


def test_without_calls_the_namespace_and_the_same_minutes_tell():
    grouping = Grouping([], ["eu/a", "eu/b", "us/a"])
    assert grouping.bond(symptom("eu/a", 0, 9), symptom("eu/b", 2, 9)) is Bond.NAMESPACE
    assert grouping.bond(symptom("eu/a", 0, 9), symptom("eu/b", 6, 9)) is Bond.NONE
    assert grouping.bond(symptom("eu/a", 0, 1), symptom("eu/b", 2, 9)) is Bond.NONE
    assert grouping.bond(symptom("eu/a", 0, 9), symptom("us/a", 0, 9)) is Bond.NONE
    assert not Bond.NAMESPACE.joins_incidents


def test_a_namespace_of_many_services_tells_nothing():
    names = [f"all/{number}" for number in range(LARGEST_NAMESPACE + 1)]
    grouping = Grouping([], names)
    assert grouping.bond(symptom("all/1", 0, 9), symptom("all/2", 0, 9)) is Bond.NONE


def test_where_calls_are_known_the_namespace_tells_nothing():
    grouping = Grouping([("eu/a", "eu/c")], ["eu/a", "eu/b", "eu/c"])
    assert grouping.bond(symptom("eu/a", 0, 9), symptom("eu/b", 0, 9)) is Bond.NONE


def test_circles_calls_to_itself_and_unknown_names_do_no_harm():
    grouping = Grouping([("a", "b"), ("b", "a"), ("a", "a"), ("ghost", "a")], ["a", "b"])
    assert grouping.bond(symptom("a", 0, 9), symptom("b", 0, 9)) is Bond.CALLS
    assert grouping.bond(symptom("a", 0, 9), symptom("a", 1, 9)) is Bond.SAME
