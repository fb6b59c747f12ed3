"""Where the data files lie: inside the installed package, or at the root of the repository when run from the tree."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def data_directory(name: str) -> Path:
    """The folder ``params`` or ``scenarios``: ``anderhalf/<name>`` when installed, else the one of the repository."""
    installed = _PACKAGE / name
    return installed if installed.is_dir() else _PACKAGE.parents[1] / name
