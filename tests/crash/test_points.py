"""The table of deaths stays true to the code."""

import pytest

from tests.crash import points
from tests.crash.points import Point


@pytest.mark.parametrize("point", points.ALL, ids=lambda point: point.name)
def test_every_point_names_a_function(point: Point) -> None:
    assert callable(points.find(point.target)[2])
    assert point.when in ("before", "after")


def test_every_point_has_a_name_of_its_own() -> None:
    assert len(points.BY_NAME) == len(points.ALL)
