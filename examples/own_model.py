"""A risk model of one's own: exact sums, constrained weights, more rows, and how good it is."""

import pandas as pd

import anderhalf as ah

people = pd.DataFrame(
    {
        "age": ["young", "young", "young", "old", "old", "old"],
        "illness": ["none", "none", "ill", "none", "ill", "ill"],
        "days": [365, 365, 365, 365, 365, 73],
        "cost_cents": [600_00, 800_00, 2500_00, 1900_00, 3700_00, 720_00],
    }
)
fit = ah.estimate(people, criteria=["age", "illness"], cost="cost_cents", days="days", zero_sum=True, carrier="age")
print(fit.params.round(2).to_string())
print(f"R2 {fit.rsquared:.4f}, CPM {fit.cpm:.4f}, rank {fit.rank} with {fit.nobs} records")

# Months of one half and the other: sums of whole numbers, in any order, and out again.
first = ah.Moments.from_records(people[:3], criteria=fit.moments.criteria)
second = ah.Moments.from_records(people[3:], criteria=fit.moments.criteria)
print(first + second == fit.moments, (first + second) - second == first)
