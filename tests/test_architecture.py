"""Laws of the code base: import directions, public tangermeme names, light import."""

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
MODULES = [
    path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))
]

# Modules that must stay free of the rest of their package, and the few that may be
# imported by nothing but what lies above them.
LEAVES = {"results", "structure", "statistics", "motifs"}


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


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


def meets(path: Path) -> bool:
    """Whether the packages meet here: commands take a residualbind model by name."""
    return path.parent == ROOT / "tangermeme_gia" / "cli"


@pytest.mark.parametrize("path", [p for p in MODULES if not meets(p)], ids=ids)
def test_the_packages_do_not_import_each_other(path):
    other = PACKAGES[1 - PACKAGES.index(path.relative_to(ROOT).parts[0])]
    assert not [name for name in imported(path) if name.split(".")[0] == other]


@pytest.mark.parametrize("path", [p for p in MODULES if meets(p)], ids=ids)
def test_where_the_packages_meet_only_public_names_are_used(path):
    names = [name for name in imported(path) if name.startswith("residualbind")]
    public = importlib.import_module("residualbind").__all__
    for name in names:
        assert name in {"residualbind", *(f"residualbind.{x}" for x in public)}


def test_the_packages_meet_in_two_modules():
    meeting = {
        p.stem for p in MODULES if meets(p) for n in imported(p) if "residual" in n
    }
    assert meeting == {"models", "sequences"}


@pytest.mark.parametrize(
    "path",
    [p for p in MODULES if p.parent == ROOT / "tangermeme_gia"],
    ids=ids,
)
def test_nothing_below_imports_the_report_or_the_command_line(path):
    upper = ("tangermeme_gia.cli", "tangermeme_gia.report")
    found = [name for name in imported(path) if name.startswith(upper)]
    assert not found or path.name == "__main__.py"


@pytest.mark.parametrize(
    "path", [p for p in MODULES if p.parent.name == "report"], ids=ids
)
def test_the_report_does_not_import_the_command_line(path):
    assert not [n for n in imported(path) if n.startswith("tangermeme_gia.cli")]


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_only_public_names_of_tangermeme_are_used(path):
    assert not [
        name
        for name in imported(path)
        if name.startswith("tangermeme.") and re.search(r"\._", name)
    ]


@pytest.mark.parametrize(
    "path", [p for p in MODULES if p.parent.name == "tangermeme_gia"], ids=ids
)
def test_leaf_modules_import_nothing_of_their_package(path):
    inside = [name for name in imported(path) if name.startswith("tangermeme_gia")]
    assert path.stem not in LEAVES or not inside


def test_the_import_test_sees_imports(tmp_path):
    folder = ROOT / "residualbind"
    assert "residualbind.model.ResidualBind" in imported(folder / "weights.py")
    assert "tangermeme.predict.predict" in imported(folder / "training.py")


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_draws_no_plotting_library_in(package):
    code = (
        f"import sys, {package}\n"
        "heavy = {'matplotlib.pyplot', 'logomaker', 'h5py', 'pooch', 'sklearn'}\n"
        "heavy |= {'RNA', 'jinja2', 'tangermeme_gia.cli', 'tangermeme_gia.report'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert output.strip() == "[]"


@pytest.mark.parametrize("package", PACKAGES)
def test_public_names_exist_and_are_documented(package):
    module = __import__(package)
    assert len(set(module.__all__)) == len(module.__all__)
    for name in module.__all__:
        value = getattr(module, name)
        if name != "__version__" and (isinstance(value, type) or callable(value)):
            assert value.__doc__, name
            assert value.__doc__.strip()[0].isupper(), name


@pytest.mark.parametrize(
    ("package", "least"),
    [(p, 10) for p in (*PACKAGES, "tangermeme_gia.plot")]
    + [("tangermeme_gia.report", 3)],
)
def test_every_public_function_has_an_example(package, least):
    module = importlib.import_module(package)
    functions = [n for n in module.__all__ if inspect.isfunction(getattr(module, n))]
    assert len(functions) >= least
    assert not [n for n in functions if ">>> " not in getattr(module, n).__doc__]


def test_tracked_text_names_no_machine_path():
    pattern = re.compile(r"(^|[^a-z.])/(work|root|tmp)/")
    files = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "pyproject.toml" in files
    for name in files:
        if (ROOT / name).is_file() and Path(name).suffix in {
            ".py",
            ".md",
            ".toml",
            ".cff",
            ".txt",
            ".tsv",
            "",
        }:
            for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
                assert not pattern.search(line) or name == Path(__file__).name, name
