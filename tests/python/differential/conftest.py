"""Makes the second implementation of tests/reference importable as `reference`, and the bridge beside this file."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]
