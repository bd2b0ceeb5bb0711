"""Modules of the user's own code, each from its own file whatever it is called."""

from __future__ import annotations

import importlib
import itertools
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

_numbers = itertools.count()


def import_file(path: Path) -> ModuleType:
    """The module of a file, under a name that no other has.

    Its own imports find what lies beside it, now and later, until the next module is
    imported by this function or by `import_here`: files of one name in two folders
    are two modules.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "queue.py")
    ...     _ = path.write_text("size = 3")
    ...     import_file(path).size
    3
    """
    path = path.resolve()
    _look_in(path.parent, path.stem)
    name = f"_model_{next(_numbers)}_{path.stem}"
    spec = spec_from_file_location(name, path, loader=_Source(name, str(path)))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and inspect look for it
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def import_here(name: str) -> ModuleType:
    """The module of a name, in the current folder or installed."""
    folder = Path.cwd()
    if (path := folder / f"{name}.py").is_file():
        return import_file(path)
    _look_in(folder, "")
    return importlib.import_module(name)


class _Source(SourceFileLoader):
    """Reads the file each time: bytecode is told from it by size and second only."""

    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = self.source_to_code(self.get_data(self.path), self.path)
        return code


class _Beside(MetaPathFinder):
    """Finds modules of one folder, and knows which they are.

    Parameters
    ----------
    folder: Path
        The folder; it hides what is installed, but not the standard library.

    own: str
        The name of the file itself, which hides nothing.
    """

    def __init__(self, folder: Path, own: str) -> None:
        self.folder, self.own = folder, own
        self.found: set[str] = set()

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """The module of this name in the folder, or in a package of it."""
        top = fullname.partition(".")[0]
        if path is None:
            spec = self._find_top(fullname)
        else:
            spec = PathFinder.find_spec(fullname, path) if top in self.found else None
        if spec is not None:
            self.found.add(fullname)
            if isinstance(spec.loader, SourceFileLoader):
                spec.loader = _Source(spec.loader.name, spec.loader.path)
        return spec

    def _find_top(self, name: str) -> ModuleSpec | None:
        if name in sys.stdlib_module_names:
            return None
        spec = PathFinder.find_spec(name, [str(self.folder)])
        # Any folder is a package without a file, and as such comes last.
        yields = spec is not None and (name == self.own or spec.origin is None)
        return None if yields and PathFinder.find_spec(name) else spec


def _look_in(folder: Path, own: str) -> None:
    """Let imports find this folder, and nothing of the folder before it."""
    for finder in [f for f in sys.meta_path if isinstance(f, _Beside)]:
        sys.meta_path.remove(finder)
        for name in finder.found:
            sys.modules.pop(name, None)
    importlib.invalidate_caches()
    sys.meta_path.insert(0, _Beside(folder, own))
