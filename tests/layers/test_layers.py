"""The layers and the tree of the project, read from its #includes and imports: this fails when one of them lies."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INCLUDE = ROOT / "include" / "anderhalf"
PACKAGE = ROOT / "python" / "anderhalf"

LAYER = {
    "core": 0,
    "params": 1,
    "data": 1,
    "metrics": 1,
    "uncertainty": 1,
    "population": 2,
    "risk": 2,
    "own_payment": 2,
    "estimation": 3,
    "payment": 3,
    "substitution": 3,
    "scenario": 4,
    "incentive": 5,
}
# Claims in, other claims out: who people are and in which class they fall is not its business.
BLIND = {"substitution": {"population", "risk"}}
NOT_IN_HEADERS = {"iostream", "fstream", "chrono", "filesystem", "cstdio", "cstdlib", "ctime"}

OUTER = {
    "plots",
    "pages",
    "report",
    "sign_map",
    "simulation_report",
    "validation_report",
    "backtest_report",
    "cli",
}  # they import the facade; the facade never imports them
PLAIN = {"_paths", "errors"}  # helpers without a compiled module


def headers() -> list[Path]:
    return sorted(INCLUDE.rglob("*.hpp"))


def included(header: Path) -> list[str]:
    return re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', header.read_text(encoding="utf-8"), re.MULTILINE)


def code(header: Path) -> str:
    """The text without comments and strings."""
    text = header.read_text(encoding="utf-8")
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\])*"', "", text, flags=re.DOTALL)


def name(header: Path) -> str:
    return str(header.relative_to(INCLUDE))


def folder(header: Path) -> str | None:
    """The concept of a header; None for an umbrella, which lies beside the folders."""
    parts = header.relative_to(INCLUDE).parts
    return parts[0] if len(parts) > 1 else None


@pytest.mark.parametrize("header", headers(), ids=name)
def test_a_header_includes_its_own_folder_and_lower_layers_only(header: Path) -> None:
    own = folder(header)
    if own is None:
        return
    for include in included(header):
        if not include.startswith("anderhalf/"):
            assert "/" in include or "." not in include or include.startswith("Eigen"), (
                f"{include}: write <anderhalf/...>"
            )
            continue
        other = Path(include).parts[1]
        assert other in LAYER, f"{include}: an umbrella, or a folder without a layer"
        assert other == own or LAYER[other] < LAYER[own], (
            f"{own} (L{LAYER[own]}) may not know {other} (L{LAYER[other]})"
        )
        assert other not in BLIND.get(own, set()), f"{own} may not know {other}"
        assert (ROOT / "include" / include).exists(), f"{include} does not exist"


@pytest.mark.parametrize("header", headers(), ids=name)
def test_a_header_reads_no_file_clock_or_environment_and_holds_no_mutable_global(header: Path) -> None:
    assert not NOT_IN_HEADERS & set(included(header))
    text = code(header)
    assert not re.search(r"\b(getenv|system_clock|steady_clock|printf|cout|cerr)\b", text)
    # Code in a namespace starts at the first column.
    for line in text.splitlines():
        if re.match(r"(static|inline|extern|thread_local)\b", line) and "(" not in line:
            assert re.search(r"\b(const|constexpr|constinit const|namespace|template|using)\b", line), (
                f"mutable global: {line}"
            )


@pytest.mark.parametrize("header", headers(), ids=name)
def test_a_header_is_guarded_and_opens_no_namespace_for_its_readers(header: Path) -> None:
    text = header.read_text(encoding="utf-8")
    assert "#pragma once" in text
    assert not re.search(r"^\s*using namespace", code(header), re.MULTILINE)


def concepts() -> list[str]:
    return sorted(path.name for path in INCLUDE.iterdir() if path.is_dir() and any(path.glob("*.hpp")))


def test_every_folder_of_headers_has_a_layer() -> None:
    assert set(concepts()) <= set(LAYER)


@pytest.mark.parametrize("concept", concepts())
def test_an_umbrella_header_includes_its_whole_folder(concept: str) -> None:
    umbrella = INCLUDE / f"{concept}.hpp"
    assert umbrella.exists(), f"include/anderhalf/{concept}.hpp: one header per folder"
    assert {f"anderhalf/{name(path)}" for path in (INCLUDE / concept).glob("*.hpp")} <= set(included(umbrella))


def test_the_umbrella_of_all_includes_every_other() -> None:
    assert {f"anderhalf/{concept}.hpp" for concept in concepts()} <= set(included(INCLUDE / "anderhalf.hpp"))


# --- Python


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def module_name(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path: Path, *, lazy: bool) -> Iterator[str]:
    """Modules of the package that a module imports: at import time, and with `lazy` in functions too."""
    own = {p.stem if p.is_file() else p.name for p in PACKAGE.iterdir()} | {"_core"}

    def walk(nodes: list[ast.stmt]) -> Iterator[ast.stmt]:
        for node in nodes:
            yield node
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) and not lazy:
                yield from walk(node.orelse)
                continue
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not lazy:
                continue
            for _, value in ast.iter_fields(node):
                if isinstance(value, list) and value and isinstance(value[0], ast.stmt | ast.ExceptHandler):
                    yield from walk([s for v in value for s in (v.body if isinstance(v, ast.ExceptHandler) else [v])])

    for node in walk(ast.parse(path.read_text(encoding="utf-8")).body):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "anderhalf":
                    yield ([*alias.name.split("."), "__init__"])[1]
        elif isinstance(node, ast.ImportFrom):
            parts = (node.module or "").split(".") if node.module else []
            if node.level == 0:
                if not parts or parts[0] != "anderhalf":
                    continue
                parts = parts[1:]
            if parts:
                yield parts[0]
            else:
                for alias in node.names:
                    yield alias.name if alias.name in own else "__init__"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_points_back_to_plots_report_and_cli(path: Path) -> None:
    own = module_name(path)
    found = set(imports(path, lazy=False))
    if own in OUTER:
        assert "_core" not in found, f"{own} goes through the facade"
        assert own == "cli" or "cli" not in set(imports(path, lazy=True))
    else:
        assert not found & OUTER, f"{own} is part of the facade"
        # A method such as `run.report(...)` may reach for its module when called, never the command line.
        assert "cli" not in set(imports(path, lazy=True)) or own == "__main__"
        if own != "__init__":
            assert "__init__" not in found, f"{own} imports the package that imports it"


def test_the_python_modules_import_each_other_in_one_direction() -> None:
    graph: dict[str, set[str]] = {}
    for path in modules():
        graph.setdefault(module_name(path), set()).update(
            set(imports(path, lazy=False)) - {"__init__", module_name(path)}
        )
    graph.pop("__init__", None)
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, "imports in a circle: " + " -> ".join([*trail, module])
        if module in done:
            return
        for other in sorted(graph.get(module, ())):
            visit(other, (*trail, module))
        done.add(module)

    for module in sorted(graph):
        visit(module, ())


# --- the tree


@pytest.mark.parametrize(
    "path",
    [
        "include/anderhalf", "src", "src/generated", "params/nl", "params/population", "scenarios", "python/bindings",
        "python/anderhalf", "tests/cpp", "tests/python", "tests/reference", "tests/compile_fail", "tests/install",
        "tests/layers", "bench", "examples", "docs/decisions", "docs/units.md", "CHANGELOG.md",
    ],
)  # fmt: skip
def test_the_tree_is_the_one_of_the_architecture(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("mirror", ["tests/cpp", "tests/python"])
def test_test_folders_mirror_the_concepts(mirror: str) -> None:
    python_only = {path.stem for path in PACKAGE.glob("*.py")} if mirror == "tests/python" else set()
    folders = {path.name for path in (ROOT / mirror).iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders <= set(LAYER) | python_only | {"support", "differential", "closed_forms", "demo", "docs", "examples"}
