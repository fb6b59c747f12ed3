"""Makes the second implementation of tests/reference and its bridge to the core importable here."""

from __future__ import annotations

import sys
from pathlib import Path

_TESTS = Path(__file__).parents[2]
sys.path[:0] = [str(_TESTS), str(_TESTS / "python" / "differential"), str(Path(__file__).parent)]
