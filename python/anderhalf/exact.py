"""Elementary functions in decimal arithmetic: the same double on every processor.

NumPy and the C library take another ``exp``, ``log`` or ``pow`` where a processor has wider or fused instructions, with
another last bit; parameters of the population must not depend on that.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

DIGITS = 40


def _each(values: ArrayLike, of: Any) -> NDArray[np.float64]:
    with localcontext() as context:
        context.prec = DIGITS
        flat = [float(of(Decimal(float(x)))) for x in np.ravel(np.asarray(values, dtype=np.float64))]
    return np.array(flat, dtype=np.float64).reshape(np.shape(values))


def exp(values: ArrayLike) -> NDArray[np.float64]:
    """e to the power of each value.

    Examples
    --------
    >>> float(exp(1.0))
    2.718281828459045
    """
    return _each(values, lambda x: x.exp())


def log(values: ArrayLike) -> NDArray[np.float64]:
    """Natural logarithm of each value, above 0."""
    return _each(values, lambda x: x.ln())


def power(base: float, exponent: float) -> float:
    """A base of 0 or more to any exponent.

    Examples
    --------
    >>> power(0.25, 0.5), power(0.0, 0.0)
    (0.5, 1.0)
    """
    with localcontext() as context:
        context.prec = DIGITS
        return 1.0 if exponent == 0 else float(Decimal(float(base)) ** Decimal(float(exponent)))
