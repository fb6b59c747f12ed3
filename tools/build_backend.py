"""scikit-build-core, plus one question: are Eigen's and Boost's headers on this machine?

If not, the wheel of `pgm-build-deps`, which carries both, becomes a build requirement. With
ANDERHALF_HEADERS=cmeel the pair `cmeel-eigen` and `libboost-headers` takes its place, with
ANDERHALF_HEADERS=system nothing is added. See docs/decisions/0001-system-first.md.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from scikit_build_core import build as _build
from scikit_build_core.build import *  # noqa: F403

WHEELS = {
    "pgm": ["pgm-build-deps"],
    "cmeel": ["cmeel-eigen", "libboost-headers"],
    "system": [],
}


def _prefixes() -> list[Path]:
    listed = [os.environ.get(name, "") for name in ("CMAKE_PREFIX_PATH", "Eigen3_ROOT", "Boost_ROOT", "CONDA_PREFIX")]
    given = [folder for value in listed for folder in value.split(os.pathsep) if folder]
    return [Path(folder) for folder in [*given, "/usr", "/usr/local", "/opt/homebrew", "/opt/local"]]


def _headers_here() -> bool:
    includes = [prefix / "include" for prefix in _prefixes()]
    eigen = any((folder / sub / "Eigen/Core").exists() for folder in includes for sub in ("eigen3", "."))
    boost = any((folder / "boost/math/distributions/normal.hpp").exists() for folder in includes)
    return eigen and boost


def _headers() -> list[str]:
    choice = os.environ.get("ANDERHALF_HEADERS", "system" if _headers_here() else "pgm")
    return WHEELS[choice]


def get_requires_for_build_wheel(config_settings: dict[str, Any] | None = None) -> list[str]:
    """What scikit-build-core asks, and headers when the machine has none."""
    return [*_build.get_requires_for_build_wheel(config_settings), *_headers()]


def get_requires_for_build_editable(config_settings: dict[str, Any] | None = None) -> list[str]:
    """The same for `pip install -e .`."""
    return [*_build.get_requires_for_build_editable(config_settings), *_headers()]
