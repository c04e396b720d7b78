import tomllib
from itertools import chain
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def versions(lines):
    return {
        requirement.name: Version(specifier.version)
        for requirement in map(Requirement, lines)
        for specifier in requirement.specifier
    }


def test_the_oldest_versions_that_are_tested_are_the_oldest_that_are_accepted():
    extras = PROJECT["optional-dependencies"]
    accepted = versions(
        line
        for line in [*PROJECT["dependencies"], *extras["plots"], *extras["test"]]
        if not line.startswith(PROJECT["name"])
    )
    lines = (ROOT / "constraints-lowest.txt").read_text(encoding="utf-8").splitlines()
    tested = versions(line for line in lines if not line.startswith("#"))
    assert tested == accepted


def test_every_requirement_has_a_lower_bound_and_nothing_else():
    for line in chain(PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()):
        requirement = Requirement(line)
        operators = [specifier.operator for specifier in requirement.specifier]
        assert operators == ([] if requirement.name == PROJECT["name"] else [">="]), line
