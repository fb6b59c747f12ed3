"""What a health insurer gains or loses, under risk equalization, when hospital care moves to 1.5-line care."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anderhalf.class_map import mapped as mapped
    from anderhalf.column_maps import ColumnMap as ColumnMap
    from anderhalf.column_maps import column_map as column_map
    from anderhalf.estimation import Constraint as Constraint
    from anderhalf.estimation import Fit as Fit
    from anderhalf.estimation import bootstrap as bootstrap
    from anderhalf.estimation import cap as cap
    from anderhalf.estimation import estimate as estimate
    from anderhalf.estimation import group_total as group_total
    from anderhalf.estimation import order as order
    from anderhalf.estimation import sign as sign
    from anderhalf.export import version as version
    from anderhalf.files import Dataset as Dataset
    from anderhalf.files import read_population as read_population
    from anderhalf.macro import macro_amounts as macro_amounts
    from anderhalf.mapping import ReferenceMapping as ReferenceMapping
    from anderhalf.mapping import diagnosis_code as diagnosis_code
    from anderhalf.mapping import diagnosis_number as diagnosis_number
    from anderhalf.mapping import drug_code as drug_code
    from anderhalf.mapping import drug_number as drug_number
    from anderhalf.mapping import load_mapping as load_mapping
    from anderhalf.mapping_import import import_mapping as import_mapping
    from anderhalf.metrics import Evaluation as Evaluation
    from anderhalf.metrics import evaluate as evaluate
    from anderhalf.microdata import check_microdata as check_microdata
    from anderhalf.microdata import import_microdata as import_microdata
    from anderhalf.microdata import read_microdata as read_microdata
    from anderhalf.model import Model as Model
    from anderhalf.model import load_model as load_model
    from anderhalf.model import models as models
    from anderhalf.moments import Criterion as Criterion
    from anderhalf.moments import Moments as Moments
    from anderhalf.moments import RandomGroups as RandomGroups
    from anderhalf.parameters import Reform as Reform
    from anderhalf.patient import explain as explain
    from anderhalf.payment import Difference as Difference
    from anderhalf.payment import Paid as Paid
    from anderhalf.payment import Settlements as Settlements
    from anderhalf.payment import class_columns as class_columns
    from anderhalf.payment import pay as pay
    from anderhalf.payment import recalculate as recalculate
    from anderhalf.payment import settlements as settlements
    from anderhalf.population import Population as Population
    from anderhalf.population import synthesise as synthesise
    from anderhalf.programme import Programme as Programme
    from anderhalf.programme import load_programme as load_programme
    from anderhalf.regiobeeld import regiobeeld as regiobeeld
    from anderhalf.reproduction import reproduce as reproduce
    from anderhalf.scenario_file import Scenario as Scenario
    from anderhalf.scenario_file import load_scenario as load_scenario
    from anderhalf.simulation import Rules as Rules
    from anderhalf.simulation import Simulation as Simulation
    from anderhalf.simulation import World as World
    from anderhalf.simulation import simulate as simulate
    from anderhalf.specification import Specification as Specification
    from anderhalf.specification import load_specification as load_specification
    from anderhalf.streaming import Streamed as Streamed
    from anderhalf.streaming import stream as stream

# Loaded on first use, so that `import anderhalf` costs nothing beyond NumPy and pandas.
_PUBLIC = {
    "ColumnMap": "column_maps",
    "Constraint": "estimation",
    "Criterion": "moments",
    "Dataset": "files",
    "Difference": "payment",
    "Evaluation": "metrics",
    "Fit": "estimation",
    "Model": "model",
    "Moments": "moments",
    "Paid": "payment",
    "Population": "population",
    "Programme": "programme",
    "RandomGroups": "moments",
    "ReferenceMapping": "mapping",
    "Reform": "parameters",
    "Rules": "simulation",
    "Scenario": "scenario_file",
    "Settlements": "payment",
    "Simulation": "simulation",
    "Specification": "specification",
    "Streamed": "streaming",
    "World": "simulation",
    "bootstrap": "estimation",
    "cap": "estimation",
    "check_microdata": "microdata",
    "class_columns": "payment",
    "column_map": "column_maps",
    "diagnosis_code": "mapping",
    "diagnosis_number": "mapping",
    "drug_code": "mapping",
    "drug_number": "mapping",
    "estimate": "estimation",
    "evaluate": "metrics",
    "explain": "patient",
    "group_total": "estimation",
    "import_mapping": "mapping_import",
    "import_microdata": "microdata",
    "load_mapping": "mapping",
    "load_model": "model",
    "load_programme": "programme",
    "load_scenario": "scenario_file",
    "load_specification": "specification",
    "macro_amounts": "macro",
    "mapped": "class_map",
    "models": "model",
    "order": "estimation",
    "pay": "payment",
    "read_microdata": "microdata",
    "read_population": "files",
    "recalculate": "payment",
    "regiobeeld": "regiobeeld",
    "reproduce": "reproduction",
    "settlements": "payment",
    "sign": "estimation",
    "simulate": "simulation",
    "stream": "streaming",
    "synthesise": "population",
    "version": "export",
}

__all__ = [
    "ColumnMap",
    "Constraint",
    "Criterion",
    "Dataset",
    "Difference",
    "Evaluation",
    "Fit",
    "Model",
    "Moments",
    "Paid",
    "Population",
    "Programme",
    "RandomGroups",
    "ReferenceMapping",
    "Reform",
    "Rules",
    "Scenario",
    "Settlements",
    "Simulation",
    "Specification",
    "Streamed",
    "World",
    "bootstrap",
    "cap",
    "check_microdata",
    "class_columns",
    "column_map",
    "diagnosis_code",
    "diagnosis_number",
    "drug_code",
    "drug_number",
    "estimate",
    "evaluate",
    "explain",
    "group_total",
    "import_mapping",
    "import_microdata",
    "load_mapping",
    "load_model",
    "load_programme",
    "load_scenario",
    "load_specification",
    "macro_amounts",
    "mapped",
    "models",
    "order",
    "pay",
    "read_microdata",
    "read_population",
    "recalculate",
    "regiobeeld",
    "reproduce",
    "settlements",
    "sign",
    "simulate",
    "stream",
    "synthesise",
    "version",
]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        value = getattr(importlib.import_module(f"anderhalf.{_PUBLIC[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'anderhalf' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
