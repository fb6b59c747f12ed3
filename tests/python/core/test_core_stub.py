"""The stub of the compiled module names what the module has, and nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

from anderhalf import _core

STUB = Path(_core.__file__).with_name("_core.pyi")
if not STUB.exists():  # an installed wheel keeps it beside the package
    STUB = Path(__file__).resolve().parents[3] / "python" / "anderhalf" / "_core.pyi"


def _names(body: list[ast.stmt]) -> dict[str, ast.stmt]:
    found: dict[str, ast.stmt] = {}
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found[node.name] = node
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = node
    return found


def test_the_stub_names_what_the_module_has() -> None:
    stub = _names(ast.parse(STUB.read_text(encoding="utf-8")).body)
    public = {name for name in dir(_core) if not name.startswith("__")}
    assert public <= set(stub), sorted(public - set(stub))
    assert {name for name in stub if not name.startswith("__")} <= public
    for name, node in stub.items():
        if isinstance(node, ast.ClassDef):
            members = {m for m in vars(getattr(_core, name)) if not m.startswith("_")}
            assert members <= set(_names(node.body)), (name, sorted(members - set(_names(node.body))))
