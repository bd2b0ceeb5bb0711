"""Sphinx configuration: Markdown pages, numpydoc API, notebooks of `tutorials/`."""

from __future__ import annotations

import importlib
import inspect
import re
import shutil
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.utils.math import latex2mathml
from sphinx import addnodes
from sphinx.application import Sphinx

HERE = Path(__file__).parent
ROOT = HERE.parent

project = "tangermeme-gia"
author = "The tangermeme-gia developers"
copyright = author
release = installed_version("tangermeme-gia")
version = release

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
]
# The pages that autosummary makes of the API get the first suffix.
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb", ".ipynb": "myst-nb"}
exclude_patterns = ["_build", "**.ipynb_checkpoints"]
templates_path = ["_templates"]
default_role = "py:obj"
# Single backticks in docstrings are code; those that name a public object become links.
nitpick_ignore_regex = [("py:obj", r"(?!tangermeme_gia\.|residualbind\.).*")]

# Pages of the API say `.. autosummary:: :toctree: generated`.
autosummary_generate = True
autodoc_typehints = "none"
autodoc_member_order = "bysource"
add_module_names = False
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

# The test suite executes the notebooks; here their saved outputs are shown.
nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"tangermeme-gia {release}"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sphinx = False


def numpydoc_parameters(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Write "name: Type" of the code base as numpydoc's "name : `Type`"."""
    section = ""
    for i, line in enumerate(lines):
        if i + 1 < len(lines) and re.fullmatch("-{3,}", lines[i + 1]):
            section = line
        elif section in {"Parameters", "Returns"}:
            match = re.match(r"([*\w]+(?:, [*\w]+)*): (.*)", line)
            if match:
                kind = re.sub(r"\b[A-Z]\w+\b", link_if_public, match[2])
                lines[i] = f"{match[1]} : {kind}"


def link_if_public(word: re.Match[str]) -> str:
    return f"`{word[0]}`" if word[0] in PUBLIC_NAMES else word[0]


def skip_tuple_fields(
    app: Sphinx, what: str, name: str, obj: Any, skip: bool, options: Any
) -> bool | None:
    """Leave out fields of named tuples, which the docstrings describe."""
    field = str(getattr(obj, "__doc__", "")).startswith("Alias for field number")
    return True if field else None


def copy_notebooks(app: Sphinx) -> None:
    """Bring the tutorials, which live beside `docs/`, under the source folder."""
    target = HERE / "_tutorials"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for notebook in sorted((ROOT / "tutorials").glob("*.ipynb")):
        shutil.copy(notebook, target)


def list_notebooks_anew(app: Sphinx, *_: Any) -> list[str]:
    """The page that lists the tutorials changes when one comes or goes."""
    return ["tutorials"]


def adapt_pages(app: Sphinx, docname: str, source: list[str]) -> None:
    """Pages are also read in the repository, from where they link to its files."""
    if docname.startswith("_tutorials/"):
        source[0] = source[0].replace("](../docs/", "](../")
    if docname == "benchmarks":
        source[0] = (
            source[0]
            .replace("](../residualbind/pretrained)", "](residualbind/pretrained.md)")
            .replace("](../benchmarks/", "](path:../benchmarks/")
        )
    if docname == "tutorials" and not list((HERE / "_tutorials").iterdir()):
        source[0] = source[0].split("```{toctree}")[0]  # an empty list is a warning


def public_names() -> dict[str, str]:
    """What Markdown pages write in backticks, and what it is."""
    names = {}
    prefixes = {
        "tangermeme_gia.plot": ("plot.", "gia.plot."),
        "tangermeme_gia.report": ("",),
        **{
            f"tangermeme_gia.{space}": ("", f"{space}.", f"gia.{space}.")
            for space in (
                "backgrounds",
                "genome",
                "motifs",
                "statistics",
                "structure",
            )
        },
        "residualbind": ("", "rb."),
        "tangermeme_gia": ("", "gia."),
    }
    for module in prefixes:
        package = importlib.import_module(module)
        for name in package.__all__:
            if not inspect.ismodule(getattr(package, name)):
                for prefix in prefixes[module]:
                    names[prefix + name] = f"{module}.{name}"
    return names


def link_public_names(app: Sphinx, doctree: nodes.document) -> None:
    """Make a public name in backticks a link to its page of the API."""
    if app.env.docname.startswith("api/"):
        return
    for literal in list(doctree.findall(nodes.literal)):
        target = PUBLIC_NAMES.get(literal.astext())
        if target and not isinstance(literal.parent, nodes.reference):
            link = addnodes.pending_xref(
                "",
                literal.deepcopy(),
                refdomain="py",
                reftype="obj",
                reftarget=target,
                refwarn=True,
            )
            literal.replace_self(link)


PUBLIC_NAMES = public_names()


def inline_mathml(translator: Any, node: nodes.math) -> None:
    """Formulas as MathML, which browsers draw without a script from elsewhere."""
    translator.body.append(latex2mathml.tex2mathml(node.astext(), as_block=False))
    raise nodes.SkipNode


def block_mathml(translator: Any, node: nodes.math_block) -> None:
    translator.body.append(latex2mathml.tex2mathml(node.astext(), as_block=True))
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    app.connect("autodoc-process-docstring", numpydoc_parameters, priority=100)
    app.connect("autodoc-skip-member", skip_tuple_fields)
    app.connect("builder-inited", copy_notebooks, priority=100)
    app.connect("env-get-outdated", list_notebooks_anew)
    app.connect("source-read", adapt_pages)
    app.connect("doctree-read", link_public_names)
    app.add_html_math_renderer("mathml", (inline_mathml, None), (block_mathml, None))
