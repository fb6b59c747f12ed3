"""A settlement of 2021 from a frame of insured: every step of two insurers, with its article."""

import pandas as pd

import anderhalf as ah

men = pd.DataFrame(  # of 40-44 years, with income from work; everything not named here is class 0
    {
        "insurer": ["north", "north", "south", "south"],
        "person": [1, 2, 3, 4],
        "days": [365, 365, 365, 73],
        "age_sex": 11,
        "avi": 32,
        "region": [1, 1, 5, 5],
        "ses": 8,
        "ppa": 10,
        "mhk": [1, 0, 0, 1],
        "ggz_region": [1, 1, 5, 5],
        "variable_cents": [3100_00, 150_00, 900_00, 2200_00],
        "ggz_cents": [0, 0, 640_00, 0],
        "fixed_cents": [20_00, 0, 0, 0],
        "own_payments_mandatory_cents": [385_00, 150_00, 385_00, 385_00],
    }
)
men = men.assign(**{name: 0 for name in ah.class_columns("nl-2021") if name not in men})
paid = ah.pay(men, "nl-2021", rounding="legal")
for insurer, lines in paid.lines.groupby("insurer"):
    print(insurer)
    for line in lines.itertuples():
        print(f"  {line.share:<15}{line.article:<28}{line.cents / 100:>14.2f}")
    print(f"  {'contribution':<43}{lines.cents.sum() / 100:>14.2f}")
print(f"together {paid.total_cents / 100:.2f}")
