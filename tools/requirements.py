"""Print the dependencies of pyproject.toml: `requirements.py EXTRA...`, one a line, for `pip install -r`.

The project itself is not among them, nor built. The word `build` adds what the build needs.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

BUILD = ["cmake>=3.25", "ninja>=1.11", "pgm-build-deps"]


def requirements(extras: list[str]) -> list[str]:
    """The dependencies of the package with these extras, `anderhalf[...]` spelled out."""
    data = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    optional: dict[str, list[str]] = data["project"]["optional-dependencies"]
    optional["build"] = [*data["build-system"]["requires"], *BUILD]
    found = list(data["project"]["dependencies"])
    todo, done = list(extras), set()
    while todo:
        extra = todo.pop(0)
        if extra in done:
            continue
        done.add(extra)
        for requirement in optional[extra]:
            if own := re.fullmatch(r"anderhalf\[(.+)\]", requirement):
                todo += own[1].split(",")
            else:
                found.append(requirement)
    return list(dict.fromkeys(found))


if __name__ == "__main__":
    print("\n".join(requirements(sys.argv[1:])))
