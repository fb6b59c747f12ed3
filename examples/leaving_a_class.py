"""What one patient's cost class is worth: a man of 42 leaves MHK 1 (at least one of three years in the top 30%)."""

import anderhalf as ah

change = ah.explain("nl-2021", sex="m", age=42, classes={"mhk": 1}, to={"mhk": 0}).to_dict()["difference"]
print(f"variable share {change['variable_eur']:.2f}")
print(f"contribution {change['contribution_eur']:.2f}")
