"""Parameters and people are the same bytes on processors with and without fused and wide instructions.

NumPy and the C library choose their functions at run time; here they are told to leave out what the processor has.
Compiling for other levels is tested by tests/levels.
"""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from anderhalf import exact

OLDER = {
    "without fused multiply-adds in the C library": {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4"},
    "without wide instructions in NumPy": {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"},
}

CODE = """
import hashlib, math, sys, warnings
warnings.simplefilter("ignore")
import numpy as np
import anderhalf as ah
from anderhalf.population import load_parameters

def told(x):
    if isinstance(x, (list, tuple)):
        return "[" + ",".join(map(told, x)) + "]"
    names = [n for n in dir(x) if not n.startswith("_") and not callable(getattr(x, n))]
    if names and type(x).__module__.startswith("anderhalf") and not hasattr(type(x), "__members__"):
        return type(x).__name__ + "(" + ",".join(f"{n}={told(getattr(x, n))}" for n in names) + ")"
    return repr(x)

print(hashlib.sha256(told(load_parameters()).encode()).hexdigest())
people = hashlib.sha256()
for seed in (1, 2):
    for block in ah.synthesise(2_000, seed=seed).blocks():
        for rows in (block.records, block.claims):
            for name in rows.dtype.names:  # not the bytes between fields, which mean nothing
                people.update(rows[name].tobytes())
print(people.hexdigest())
x = np.linspace(-20, 20, 100_001)
print(hashlib.sha256(np.exp(x).tobytes() + bytes(repr([math.exp(v) for v in x]), "ascii")).hexdigest())
"""


def made(environment: dict[str, str]) -> list[str]:
    run = subprocess.run(
        [sys.executable, "-c", CODE], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return run.stdout.split()


@pytest.mark.skipif(sys.platform != "linux" or os.uname().machine != "x86_64", reason="levels of x86-64")
def test_parameters_and_people_do_not_depend_on_the_processor() -> None:
    here = made({})
    others = {name: made(environment) for name, environment in OLDER.items()}
    for name, other in others.items():
        assert other[:2] == here[:2], name
    if all(other[2] == here[2] for other in others.values()):
        pytest.skip("this processor has none of these instructions: nothing was left out")


def test_functions_in_decimals_are_the_nearest_doubles() -> None:
    x = np.linspace(-30, 30, 2_001)
    assert np.allclose(exact.exp(x), np.exp(x), rtol=3e-16, atol=0)
    assert np.allclose(exact.log(np.exp(x)), x, rtol=3e-16, atol=3e-16)
    assert exact.exp([[0.0, 1.0]]).tolist() == [[1.0, 2.718281828459045]]
    assert exact.log(10.0) == 2.302585092994046
    assert exact.power(0.3, 2.5) == pytest.approx(0.3**2.5, rel=1e-15)
    assert exact.power(0.0, 2.0) == 0.0
