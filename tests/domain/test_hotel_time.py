"""Instants and the hotel's calendar."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain.hotel_time import end_of_day, hotel_date, hotel_instant, nights, zone_city


@pytest.mark.parametrize(
    ("zone", "day"),
    [("UTC", date(2026, 6, 30)), ("Europe/Berlin", date(2026, 7, 1)), ("America/New_York", date(2026, 6, 30)), ("Pacific/Kiritimati", date(2026, 7, 1))],
)  # fmt: skip
def test_the_date_is_the_hotels(zone: str, day: date) -> None:
    assert hotel_date(datetime(2026, 6, 30, 22, 30, tzinfo=UTC), zone) == day


def test_a_time_that_comes_twice_is_its_first_and_one_that_never_comes_still_is_an_instant() -> None:
    twice = hotel_instant(date(2026, 10, 25), time(2, 30), "Europe/Berlin")
    assert twice == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    never = hotel_instant(date(2026, 3, 29), time(2, 30), "Europe/Berlin")
    assert never == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_a_day_ends_with_its_last_second_also_when_it_has_23_or_25_hours() -> None:
    for day in (date(2026, 3, 29), date(2026, 10, 25), date(2026, 12, 31)):
        end = end_of_day(day, "Europe/Lisbon")
        assert hotel_date(end, "Europe/Lisbon") == day
        assert hotel_date(end + timedelta(seconds=1), "Europe/Lisbon") == day + timedelta(days=1)


ZONES = (
    *("UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin", "Europe/Lisbon", "Atlantic/Azores"),
    *("Australia/Lord_Howe", "America/Nuuk", "America/Santiago", "America/Havana", "Africa/Cairo", "Asia/Beirut"),
)
"""From UTC+14 to UTC-11; half an hour of summer time; clocks that change at midnight, in either direction."""


@given(zone=st.sampled_from(ZONES), day=st.dates(date(2024, 1, 1), date(2030, 12, 31)))
@settings(max_examples=400, derandomize=True, deadline=None)
def test_a_date_ends_where_the_next_begins(zone: str, day: date) -> None:
    end = end_of_day(day, zone)
    assert hotel_date(end, zone) == day
    assert hotel_date(end + timedelta(seconds=1), zone) == day + timedelta(days=1)


@pytest.mark.parametrize(
    ("zone", "day", "utc"),
    [
        (
            "America/Santiago",
            date(2027, 4, 3),
            datetime(2027, 4, 4, 3, 59, 59, tzinfo=UTC),
        ),  # 23:00 to 24:00 comes twice
        ("America/Nuuk", date(2027, 3, 27), datetime(2027, 3, 28, 0, 59, 59, tzinfo=UTC)),  # 23:00 to 24:00 is left out
    ],
)
def test_a_day_whose_last_hour_is_strange_ends_when_its_date_does(zone: str, day: date, utc: datetime) -> None:
    assert end_of_day(day, zone) == utc


@given(zone=st.sampled_from(ZONES), day=st.dates(date(2024, 1, 1), date(2030, 12, 31)))
@settings(max_examples=100, derandomize=True, deadline=None)
def test_a_time_of_day_at_the_hotel_is_on_that_day(zone: str, day: date) -> None:
    assert hotel_date(hotel_instant(day, time(15), zone), zone) == day


@given(check_in=st.dates(date(2024, 1, 1), date(2030, 1, 1)), count=st.integers(0, 400))
@settings(max_examples=100, derandomize=True, deadline=None)
def test_a_stay_has_as_many_nights_as_days_between_its_dates(check_in: date, count: int) -> None:
    slept = nights(check_in, check_in + timedelta(days=count))
    assert len(slept) == len(set(slept)) == count
    assert all(check_in <= night < check_in + timedelta(days=count) for night in slept)


def test_the_night_of_check_out_is_not_slept() -> None:
    assert nights(date(2028, 2, 28), date(2028, 3, 1)) == [date(2028, 2, 28), date(2028, 2, 29)]
    assert nights(date(2026, 12, 18), date(2026, 12, 18)) == []


def test_a_zone_is_named_by_its_city() -> None:
    assert zone_city("Europe/Lisbon") == "Lisbon"
    assert zone_city("America/Argentina/Buenos_Aires") == "Buenos Aires"
    assert zone_city("UTC") == "UTC"
