"""What the JavaScript SDK promises as a package: types that agree with the code, layers, no dependencies."""

import json
import re
from pathlib import Path

import pytest
from script_runner import NodeRunner

from support.server import ROOT

SDK = ROOT / "sdk" / "js"
# Each folder may use those before it.
LAYERS = ["protocol", "connection", "outbox", "room", "rest", "client", "."]
TYPES = (SDK / "index.d.ts").read_text()

IMPORT = re.compile(r'^(?:import|export) .* from "([^"]+)"|^import "([^"]+)"|\bimport\("([^"]+)"\)', re.MULTILINE)
CLASS = re.compile(r"^export class (\w+)[^\n]*\{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
MEMBER = re.compile(r"^  (?:static |readonly )*(\w+)(?:<[^>]*>+)?([(?:])", re.MULTILINE)


@pytest.fixture(scope="module")
def node():
    runner = NodeRunner()
    yield runner
    runner.close()


def imports(file: Path) -> list[str]:
    code = re.sub(r"/\*.*?\*/", "", file.read_text(), flags=re.DOTALL)
    return [name for names in IMPORT.findall(code) for name in names if name]


def test_imports_go_to_layers_below():
    files = sorted(SDK.rglob("*.js"))
    assert len(files) > 20
    for file in files:
        layer = LAYERS.index(str(file.parent.relative_to(SDK)))
        for name in imports(file):
            assert name.startswith("."), f"{file}: {name} is a dependency"
            target = (file.parent / name).resolve()
            assert target.is_file(), f"{file}: {name}"
            assert LAYERS.index(str(target.parent.relative_to(SDK))) <= layer, f"{file}: {name}"
    package = json.loads((SDK / "package.json").read_text())
    assert "dependencies" not in package and (SDK / package["types"]).is_file()


def test_types_and_code_export_the_same(node):
    declared = set(re.findall(r"^export (?:class|function) (\w+)", TYPES, re.MULTILINE))
    assert set(node.evaluate("() => Object.keys(sdk)")) == declared


@pytest.mark.parametrize("name, body", CLASS.findall(TYPES), ids=lambda value: value if value.isidentifier() else "")
def test_types_and_code_have_the_same_methods(node, name, body):
    members = MEMBER.findall(body)
    methods = {member for member, mark in members if mark == "(" and member != "constructor"}
    source = """(name) => {
      const own = (object, ...less) => Object.getOwnPropertyNames(object).filter((each) => !less.includes(each));
      const prototype = own(sdk[name].prototype, 'constructor');
      const isMethod = (each) => typeof Object.getOwnPropertyDescriptor(sdk[name].prototype, each).value === 'function';
      const statics = own(sdk[name], 'length', 'name', 'prototype');
      return [[...prototype.filter(isMethod), ...statics.filter((each) => typeof sdk[name][each] === 'function')], [...prototype, ...statics]];
    }"""
    in_code, all_in_code = node.evaluate(source, name)
    assert set(in_code) == methods
    assert set(all_in_code) <= {member for member, _ in members}
