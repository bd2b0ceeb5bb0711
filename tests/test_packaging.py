"""What is built holds every file and states what it needs; the conda recipe agrees."""

import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RECIPE = (ROOT / "recipe" / "meta.yaml").read_text()
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base"}


def build(*words: str) -> None:
    command = [sys.executable, "-m", "build", "--no-isolation", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sdist")
    build("--sdist", "--outdir", str(folder), str(ROOT))
    return next(folder.glob("*.tar.gz"))


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    """Built from the unpacked sdist, as an installer without a wheel does it."""
    folder = tmp_path_factory.mktemp("wheel")
    # Python before 3.10.12 and 3.11.4 has no filters; it is an archive of our own.
    safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, **safe)
    build("--wheel", "--outdir", str(folder), str(next(folder.glob("*/"))))
    return next(folder.glob("*.whl"))


def package_files() -> set[str]:
    return {
        path.relative_to(ROOT).as_posix()
        for package in ("tangermeme_gia", "residualbind")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def test_the_wheel_of_the_sdist_holds_every_file_of_both_packages(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == package_files()


def test_what_was_installed_runs_where_nothing_else_of_the_project_is(wheel, tmp_path):
    installed = tmp_path / "installed"
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--quiet"]
    subprocess.run([*install, "--target", str(installed), str(wheel)], check=True)
    script = (
        "import residualbind as rb, tangermeme_gia as gia\n"
        "X = gia.backgrounds.profile_background(rb.load_profile('A1CF'), n=20)\n"
        "model = rb.load_pretrained('A1CF')\n"
        "result = gia.multi_site(model, X, 'UAAUUA', starts=[3], alphabet='ACGU')\n"
        "print(gia.__file__, result.to_frame()['effect'].item() > 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={"PYTHONPATH": str(installed), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    package, positive = done.stdout.split()
    assert Path(package).parent == installed / "tangermeme_gia"
    assert positive == "True"


def test_the_recipe_needs_what_the_project_needs():
    needed = {}
    for line in PROJECT["dependencies"]:
        name, least = line.split(">=")
        needed[CONDA_NAMES.get(name, name)] = least
    run = RECIPE.split("  run:\n")[1].split("\n\n")[0]
    stated = dict(re.findall(r"- (\S+) >=(\S+)", run))
    assert stated.pop("python") == PROJECT["requires-python"].removeprefix(">=")
    assert stated == needed


def test_the_recipe_makes_the_same_release_with_the_same_commands():
    assert re.search(r'set version = "(.+)"', RECIPE)[1] == PROJECT["version"]
    assert dict(re.findall(r"- (\S+) = (\S+)", RECIPE)) == PROJECT["scripts"]
