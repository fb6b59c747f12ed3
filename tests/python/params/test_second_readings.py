"""2019 and 2020, annexes 2 and later: the law against a reading from another copy, made without the first one.

``second_readings/<year>.csv`` holds the figures in the notation of the print (dot for thousands and decimals, dashes as
they stand), read row by row from the consolidated texts in a public collection of Dutch law (BWBR0041387; BWBR0042712
in its version of 2 July 2022), neither from params/nl nor from second_reading_<year>.py.
"""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from anderhalf._paths import data_directory
from anderhalf.model import MICRO_PER_CENT, Model, load_model, model_of
from anderhalf.parameters import read_law

SHARES = {
    2019: {"2": "ggz", "3": "deductible"},
    2020: {
        "2": "ggz",
        "3": "ggz_hcc",
        "4": "deductible",
        "5": "variable_ex_post",
        "6": "deductible_ex_post",
        "7": "ggz_ex_post",
    },
}


def cents(figures: str) -> list[int]:
    """Amounts in cents: the digits of each, the last two behind the point; a dash may stand apart."""
    amounts, sign = [], 1
    for token in figures.split():
        digits = token.lstrip("-\N{EN DASH}")
        sign = -1 if digits != token else sign
        if digits:
            whole = digits.replace(".", "")
            if not whole.isdecimal() or digits[-3:-2] != ".":
                raise ValueError(f"not an amount with two decimals: {token!r}")
            amounts.append(sign * int(whole))
            sign = 1
    return amounts


def reading(year: int, annex: str) -> dict[str, list[int]]:
    """Criterion to its figures in cents, in the order of the print."""
    path = Path(__file__).with_name("second_readings") / f"{year}.csv"
    found: dict[str, list[int]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["annex"] == annex:
                found.setdefault(row["criterion"], []).extend(cents(row["figures"]))
    return found


def disagreements(model: Model, annex: str) -> tuple[int, list[str]]:
    share, read = getattr(model, SHARES[model.year][annex]), reading(model.year, annex)
    assert [criterion.name for criterion in share.criteria] == list(read)
    compared, wrong = 0, []
    for criterion in share.criteria:
        for row, amount in zip(criterion.classes, read[criterion.name], strict=True):
            compared += 1
            if row.weight != amount * MICRO_PER_CENT:
                wrong.append(f"{criterion.name} {row.code}: {row.weight} against {amount}")
    return compared, wrong


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("year", "annex", "count"),
    [
        (2019, "2", 120),
        (2019, "3", 66),
        (2020, "2", 126),
        (2020, "3", 126),
        (2020, "4", 71),
        (2020, "5", 210),
        (2020, "6", 71),
        (2020, "7", 126),
    ],
)
def test_an_annex_equals_its_independent_reading(year: int, annex: str, count: int) -> None:
    compared, wrong = disagreements(load_model(f"nl-{year}"), annex)
    print(f"{year} annex {annex}: {compared - len(wrong)} of {compared} equal the independent reading")
    assert wrong == []
    assert compared == count


@pytest.mark.oracle
def test_one_changed_weight_is_found(tmp_path: Path) -> None:
    shutil.copytree(data_directory("params") / "nl", tmp_path / "nl")
    path = tmp_path / "nl" / "2019" / "weights_ggz.toml"
    text = path.read_text(encoding="utf-8")
    assert text.count("119883.52") == 1
    path.write_text(text.replace("119883.52", "118983.52"), encoding="utf-8")
    changed = model_of(read_law(tmp_path / "nl", "nl-2019"))
    assert disagreements(changed, "2") == (120, ["ggz_dkg 16: 118983520000 against 11988352"])


def test_amounts_of_the_prints_are_read() -> None:
    assert cents("– 24.94 1.547.19 –6.83 -34.28 0.00 119.883.52") == [-2494, 154719, -683, -3428, 0, 11988352]
    with pytest.raises(ValueError, match="not an amount"):
        cents("12.345")
