"""Laws of the code base: import directions, public names, light import, short code."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("tangermeme_gia", "residualbind")
SPACES = ("backgrounds", "genome", "motifs", "plot", "statistics", "structure")
MODULES = [
    path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))
]

# What each folder may import of its own package, beside itself.
BELOW = {
    "_core": set(),
    "structure": {"_core"},
    "motifs": {"_core"},
    "genome": {"_core"},
    "statistics": {"_core"},
    "backgrounds": {"_core", "structure", "statistics", "genome"},
    "models": {"_core"},
    "kmers": {"_core", "statistics", "motifs"},
    "experiments": {"_core", "structure", "statistics", "motifs", "backgrounds"},
    "plot": {"_core", "structure", "statistics", "motifs", "surveys"},
}
BELOW["surveys"] = {*BELOW} - {"models", "plot"}
BELOW["report"] = {*BELOW}
BELOW["sweep"] = {*BELOW}
BELOW["cli"] = {*BELOW}
RESIDUALBIND = {
    "data": set(),
    "structure": {"data"},
    "simulation": {"data", "structure"},
    "network": {"data", "structure"},
    "methods": {"data", "network", "structure"},
}
RESIDUALBIND["benchmark"] = {"methods"}
RESIDUALBIND["cli"] = set(RESIDUALBIND)
TABLES = {"tangermeme_gia": BELOW, "residualbind": RESIDUALBIND}


def imported(path: Path) -> set[str]:
    """Dotted names that a module imports; relative ones are made absolute."""
    package = path.parent.relative_to(ROOT).parts
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


def imported_inside(path: Path) -> set[tuple[str, ...]]:
    """What a module imports of its own package: names of folders, modules, names."""
    package = path.relative_to(ROOT).parts[0]
    split = [name.split(".") for name in imported(path)]
    return {tuple(parts[1:]) for parts in split if parts[0] == package}


def folder(path: Path) -> str | None:
    """The folder of a package in which a module lies; None for the package's own."""
    parts = path.relative_to(ROOT).parts
    return parts[1] if len(parts) > 2 else None


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


IN_FOLDERS = [path for path in MODULES if folder(path)]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_has_its_place(package):
    folders = {folder(p) for p in IN_FOLDERS if p.relative_to(ROOT).parts[0] == package}
    assert folders == set(TABLES[package])


@pytest.mark.parametrize("path", IN_FOLDERS, ids=ids)
def test_imports_go_downhill(path):
    table = TABLES[path.relative_to(ROOT).parts[0]]
    allowed = {folder(path), "__version__", *table[folder(path)]}
    assert {parts[0] for parts in imported_inside(path)} <= allowed


def floors(package: str) -> dict[str, int]:
    """On which line of the picture in CONTRIBUTING each folder stands."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    head, *lines = text.split("```text\n")[1].split("```")[0].splitlines()
    first = head.index(package)
    last = None if package == PACKAGES[1] else head.index(PACKAGES[1])
    columns = [line[first:last].split() for line in lines]
    return {name: floor for floor, names in enumerate(columns) for name in names}


@pytest.mark.parametrize("package", PACKAGES)
def test_the_picture_of_the_house_shows_the_imports(package):
    floor = floors(package)
    assert set(floor) == set(TABLES[package])
    paths = [p for p in IN_FOLDERS if p.relative_to(ROOT).parts[0] == package]
    used = {
        (folder(path), parts[0]) for path in paths for parts in imported_inside(path)
    }
    for above, below in used:
        if below in floor and below != above:
            assert floor[above] < floor[below], (above, below)


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_tangermeme_gia_knows_no_other_package_of_this_house(path):
    names = {name.split(".")[0] for name in imported(path)}
    assert path.is_relative_to(ROOT / "residualbind") or "residualbind" not in names


@pytest.mark.parametrize("path", IN_FOLDERS, ids=ids)
def test_private_names_stay_in_their_folder(path):
    other = [p for p in imported_inside(path) if p[0] not in (folder(path), "_core")]
    assert not [p for p in other if any(part.startswith("_") for part in p[1:])]


@pytest.mark.parametrize(
    "path", [p for p in MODULES if folder(p) == "experiments"], ids=ids
)
def test_experiments_do_not_import_each_other(path):
    assert "experiments" not in {parts[0] for parts in imported_inside(path)}


@pytest.mark.parametrize(
    "path", sorted((ROOT / "tangermeme_gia").rglob("*.py")), ids=ids
)
def test_any_model_means_that_none_is_imported(path):
    assert not [n for n in imported(path) if n.split(".")[0] == "residualbind"]


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_only_public_names_of_tangermeme_are_used(path):
    assert not [
        name
        for name in imported(path)
        if name.startswith("tangermeme.") and re.search(r"\._", name)
    ]


def test_the_import_tests_see_imports():
    trainer = ROOT / "residualbind" / "network" / "trainer.py"
    assert "tangermeme.predict.predict" in imported(trainer)
    assert ("network", "schedule", "best_epoch") in imported_inside(trainer)


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_draws_nothing_heavy_in(package):
    code = (
        f"import sys, {package}\n"
        "heavy = {'torch', 'pandas', 'scipy', 'matplotlib', 'logomaker', 'sklearn'}\n"
        "heavy |= {'h5py', 'pooch', 'RNA', 'jinja2', 'optuna'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert output.strip() == "[]"


NAME_SPACES = (*PACKAGES, *(f"tangermeme_gia.{name}" for name in (*SPACES, "report")))


@pytest.mark.parametrize("name", NAME_SPACES)
def test_public_names_exist_and_are_documented(name):
    module = importlib.import_module(name)
    assert len(set(module.__all__)) == len(module.__all__)
    for public in module.__all__:
        value = getattr(module, public)
        if (
            inspect.isclass(value)
            or inspect.isroutine(value)
            or inspect.ismodule(value)
        ):
            assert value.__doc__, public
            assert value.__doc__.strip()[0].isupper(), public


@pytest.mark.parametrize("name", NAME_SPACES)
def test_every_public_function_has_an_example(name):
    module = importlib.import_module(name)
    functions = [n for n in module.__all__ if inspect.isfunction(getattr(module, n))]
    assert len(functions) >= 3
    assert not [n for n in functions if ">>> " not in getattr(module, n).__doc__]


def test_tracked_text_names_no_machine_path():
    pattern = re.compile(r"(^|[^a-z.])/(work|root|tmp)/")
    files = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "pyproject.toml" in files
    kinds = {".py", ".pyi", ".md", ".toml", ".cff", ".txt", ".tsv", ".sh", ".log", ""}
    for name in files:
        if (ROOT / name).is_file() and Path(name).suffix in kinds:
            for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
                assert not pattern.search(line) or name == Path(__file__).name, name
