"""A risk model of one's own from columns: exact sums, constrained weights, and what each insurer is paid."""

import pandas as pd

import anderhalf as ah

people = pd.DataFrame(
    {
        "age": ["young", "young", "young", "old", "old", "old"],
        "illness": ["none", "none", "ill", "none", "ill", "ill"],
        "insurer": [0, 0, 1, 1, 0, 1],
        "days": [365, 365, 365, 365, 365, 73],
        "cost_cents": [600_00, 800_00, 2500_00, 1900_00, 3700_00, 720_00],
    }
)
model = [ah.Criterion("age", classes=["young", "old"]), ah.Criterion("illness", classes=["none", "ill"])]
fit = ah.estimate(people, model, zero_sum=True, carrier="age")
for row in fit.weights.itertuples():
    print(f"{f'{row.criterion}={row.code}':<13} {row.weight_eur:9.2f}  ({row.insured_years:.2f} insured years)")
print(f"R2 {fit.rsquared:.4f}, CPM {fit.cpm:.4f}")

paid = fit.predict(people) * people.days / 365
print("\n".join(f"insurer is paid {euros:.2f}" for euros in paid.groupby(people.insurer).sum()))

one, other = (ah.Moments.from_records(half, model) for half in (people[:3], people[3:]))
print(f"halves add up: {one + other == fit.moments}, and part again: {fit.moments - other == one}")
