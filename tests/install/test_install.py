"""C++ users: find_package(anderhalf) on an installed copy, and add_subdirectory on the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (shutil.which("cmake") and shutil.which("ninja")), reason="cmake and ninja are needed"),
]


def run(*command: str | Path) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def built_library() -> Path:
    """The build folder of ./run, or of the dev preset; the library is not compiled a second time for this test."""
    for folder in (os.environ.get("ANDERHALF_BUILD", ""), "build/release", "build/dev"):
        if folder and (ROOT / folder / "src" / "libanderhalf.a").exists():
            return ROOT / folder
    pytest.skip("no library in build/: ./run test makes one")


def consumer(build: Path, *options: str) -> None:
    run("cmake", "-G", "Ninja", "-S", HERE, "-B", build, "-DCMAKE_BUILD_TYPE=Debug", *options)
    run("cmake", "--build", build, "--target", "consumer")
    assert run(build / "consumer").split() == ["nl-2021", "nl-2021"]


def test_find_package_works_from_two_translation_units(tmp_path: Path) -> None:
    run("cmake", "--install", built_library(), "--prefix", tmp_path / "prefix", "--component", "cpp")
    assert {path.name for path in (tmp_path / "prefix").iterdir()} <= {"include", "lib", "lib64"}
    consumer(tmp_path / "build", "-DHOW=find_package", f"-DCMAKE_PREFIX_PATH={tmp_path / 'prefix'}")


def test_add_subdirectory_works_and_builds_nothing_but_the_library(tmp_path: Path) -> None:
    consumer(
        tmp_path / "build", "-DHOW=add_subdirectory", f"-DANDERHALF_SOURCE={ROOT}", "-DCMAKE_CXX_FLAGS_DEBUG=-O0 -g0"
    )
    assert not list((tmp_path / "build").rglob("_core*"))
