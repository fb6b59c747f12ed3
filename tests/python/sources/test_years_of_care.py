"""Which years of care the classes of a model year look back on, and what happens when they are not there."""

from __future__ import annotations

import pytest

import anderhalf as ah
from anderhalf import _core
from anderhalf.errors import ParameterError
from anderhalf.mapping import load_mapping
from anderhalf.sources import YEARS_OF_CARE, years_of_care

COMPLETE = [name for name in ah.models().name if ah.load_model(name).complete]


@pytest.mark.parametrize("name", COMPLETE)
def test_years_of_care_are_those_of_the_core(name: str) -> None:
    law = ah.load_model(name)
    scheme = _core.Scheme(law.core, load_mapping(law).core(15), 1_000_000)
    assert 2020 - _core.first_year_of_care(scheme, 2020) == years_of_care(law) <= YEARS_OF_CARE


def test_a_law_is_read_in_the_last_year_when_care_before_its_own_is_missing() -> None:
    law = ah.load_model("nl-2021")  # mental care of five years before
    late, in_time = (ah.synthesise(1_000, (first, 2024), region=None) for first in (2017, 2016))
    assert (late.year_of(law), in_time.year_of(law)) == (2024, 2021)
    assert late.stream(law).year == 2024
    with pytest.raises(ParameterError, match=r"records: nl-2021 in 2021.*first year of care at most 2016.*got 2017"):
        late.records(law, 2021)
