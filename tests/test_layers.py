"""The rules of the house that no single module can keep: who may import whom, and what no file may hold."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# agents <- model <- scenarios <- viz, run.py: what each layer may import of the others.
MAY_IMPORT = {
    "agents": set(),
    "model": {"agents"},
    "scenarios": {"agents", "model"},
    "viz": {"agents", "model", "scenarios"},
    "run": {"agents", "model", "scenarios", "viz"},
}
ABOVE_THE_PRODUCT = {"tests", "benchmarks", "docs"}
HEADLESS = ("agents", "model", "scenarios", "run")
BROWSER_PACKAGES = {"solara", "reacton", "ipyvue", "ipyvuetify", "viz"}
MARKET_PAGE = ROOT / "model" / "market.py"
LINES_ON_A_PAGE = 150

# Spelled in two parts, so that this file does not hold what it forbids.
REGISTRY_HOSTS = [
    ".".join(parts)
    for parts in [
        ("pypi", "org"),
        ("pypi", "python.org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs.org"),
        ("registry", "yarnpkg.com"),
        ("deb", "debian.org"),
        ("conda", "anaconda.org"),
        ("proxy", "golang.org"),
        ("static", "crates.io"),
    ]
]
OUTSIDE_THE_REPOSITORY = ["/".join(("..", "shared")), "/".join(("", "work", "shared"))]
NOT_OURS = {".git", "__pycache__", ".hypothesis", ".pytest_cache", ".ruff_cache", "node_modules", "out"}


def sources(layer: str) -> list[Path]:
    """Python files of a layer: a package's files, or the one module of that name."""
    return [ROOT / f"{layer}.py"] if layer == "run" else sorted((ROOT / layer).rglob("*.py"))


def imported(source: str) -> set[str]:
    """Top-level names that a Python text imports, in a function or under TYPE_CHECKING too, or by name."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import():
                names |= {alias.name for alias in node.names}
            case ast.ImportFrom(level=0):
                names.add(node.module)
            case ast.Call(
                func=ast.Name(id="import_module" | "__import__")
                | ast.Attribute(attr="import_module" | "run_module"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                names.add(name)
    return {name.split(".")[0] for name in names}


def files_of_the_repository() -> list[Path]:
    """Every file below the root that is ours: no caches, no results, no virtual environment of any name."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name
            for name in folders
            if name not in NOT_OURS and not (Path(folder) / name / "pyvenv.cfg").exists()
        ]
        found += [Path(folder) / name for name in names if name != "uv.lock"]
    return found


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import model.tape as tape, numpy", {"model", "numpy"}),
        ("from model.tape import Tape", {"model"}),
        ("def rule(self):\n    from viz import app", {"viz"}),
        ("if TYPE_CHECKING:\n    import scenarios", {"scenarios"}),
        ("importlib.import_module('viz.app')", {"viz"}),
        ("import_module('viz.app', package=None)", {"viz"}),
        ("runpy.run_module('viz.app')", {"viz"}),
        ("from . import firm\nfrom .firm import Firm", set()),
        ("model = self.model", set()),
    ],
)
def test_every_form_of_import_is_seen(source, names):
    assert imported(source) == names


@pytest.mark.parametrize("layer", MAY_IMPORT)
def test_dependencies_point_one_way(layer):
    forbidden = (MAY_IMPORT.keys() | ABOVE_THE_PRODUCT) - MAY_IMPORT[layer] - {layer}
    against = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(layer)
        if path.exists()
        for name in imported(path.read_text(encoding="utf-8")) & forbidden
    }
    assert not against


@pytest.mark.parametrize("layer", HEADLESS)
def test_headless_layers_do_not_load_the_browser_application(layer):
    """In a fresh interpreter, since another test may have loaded Solara into this one."""
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in sources(layer)
        if path.exists() and path.stem != "__main__"
    ]
    if not modules:
        pytest.skip(f"{layer} is not there")
    program = f"import importlib, sys\nfor m in {modules!r}: importlib.import_module(m)\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert layer in loaded
    assert not loaded & BROWSER_PACKAGES


def test_the_month_is_readable_on_one_page():
    assert len(MARKET_PAGE.read_text(encoding="utf-8").splitlines()) <= LINES_ON_A_PAGE


def test_no_module_of_viz_hides_a_layer():
    """Solara puts viz/ first on the path: a viz/model.py would be imported in place of model/."""
    hiding = [ROOT / "viz" / name for layer in MAY_IMPORT for name in (layer, f"{layer}.py")]
    assert not [path for path in hiding if path.exists()]


def test_no_file_names_a_registry_or_a_path_outside():
    forbidden = [text.encode() for text in REGISTRY_HOSTS + OUTSIDE_THE_REPOSITORY]
    files = files_of_the_repository()
    assert Path(__file__).resolve() in files
    assert ROOT / "requirements.lock" in files
    naming = {
        f"{path.relative_to(ROOT)} names {text.decode()}"
        for path in files
        for content in [path.read_bytes()]
        for text in forbidden
        if text in content
    }
    assert not naming


def test_every_declared_dependency_is_locked_with_hashes():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    declared = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    names = {re.match(r"[\w.-]+", line)[0].lower() for line in declared}
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = re.findall(r"^([\w.-]+)==(.*\n(?: .*\n)*)", lock, re.MULTILINE)
    assert names <= {name for name, _ in pins}
    assert not [name for name, pin in pins if "--hash=sha256:" not in pin]
