"""Add up JUnit files of ctest and pytest: the last line is `N passed, M failed, K skipped`.

`--status S` is an exit status of one of the runs. When one is not 0 and no test failed, the run itself broke: that
counts as one failure.
"""

from __future__ import annotations

import argparse
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

NO_TESTS = 5  # pytest's exit status when it collected nothing


def count(path: Path) -> tuple[int, int, int]:
    """(passed, failed, skipped) of one JUnit file; nothing for a file that is not there."""
    if not path.exists():
        return 0, 0, 0
    passed = failed = skipped = 0
    for case in ET.parse(path).iter("testcase"):
        tags = {child.tag for child in case}
        if tags & {"failure", "error"}:
            failed += 1
        elif "skipped" in tags or case.get("status") in {"notrun", "disabled"}:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def main() -> int:
    """Print the line; 0 when nothing failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--status", type=int, action="append", default=[])
    parser.add_argument("files", type=Path, nargs="+")
    options = parser.parse_args()
    counts = [count(path) for path in options.files]
    passed, failed, skipped = (sum(column) for column in zip(*counts, strict=True))
    if failed == 0 and any(status not in {0, NO_TESTS} for status in options.status):
        failed = 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
