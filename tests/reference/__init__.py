"""Independent second implementation of the scheme, in plain Python, from the specification and the law alone.

Exact (int and Fraction), slow, standard library only. It shares no code with the C++ or with the Python facade; the
differential tests compare the two. Where the law leaves room the reading is written in a docstring and, when a
second reading is defensible, it is a field of `groupers.Readings` or an argument.
"""
