"""Regions as lists of municipalities, from ``params/regions.toml``, in the borders of any year."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from anderhalf._paths import data_directory
from anderhalf.datasets import plain_name
from anderhalf.errors import ParameterError, not_found


@dataclass(frozen=True)
class Region:
    """A named list of municipalities."""

    key: str
    name: str
    municipalities: tuple[str, ...]


def regions_text() -> str:
    """The file as it is installed."""
    file = data_directory("params") / "regions.toml"
    if not file.is_file():
        raise ParameterError("the file is not installed with anderhalf", "regions.toml")
    return file.read_text(encoding="utf-8")


def load_regions() -> dict[str, Region]:
    """The regions that anderhalf knows, by key."""
    found: Mapping[str, Any] = tomllib.loads(regions_text())["regions"]
    return {key: Region(key, entry["name"], tuple(entry["municipalities"])) for key, entry in found.items()}


def find_region(key: str) -> Region:
    """The region of that key or name; NotFoundError with what looks like it."""
    regions = load_regions()
    for region in regions.values():
        if plain_name(key) in (plain_name(region.key), plain_name(region.name)):
            return region
    raise not_found("regiobeeld, region", "region", [key], list(regions))


def in_borders_of(names: Iterable[str], known: Collection[str]) -> list[str]:
    """The names, with a municipality that is not ``known`` (plain names) replaced by those it was formed from.

    Only when all of those are known; else the name stays, for the caller to refuse.
    """
    merged: Mapping[str, list[str]] = tomllib.loads(regions_text())["merged"]
    parts = {plain_name(name): former for name, former in merged.items()}
    result = []
    for name in names:
        former = [] if plain_name(name) in known else parts.get(plain_name(name), [])
        result += former if former and all(plain_name(part) in known for part in former) else [name]
    return result
