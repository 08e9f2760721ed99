# SPDX-License-Identifier: Apache-2.0
"""The import closure: every file of Dimmer that a module runs, and every package whose version decides what it makes.

A stage's key holds the hashes of these files and these versions, so that an edit makes anew just what it touches.
Imports are read from the source, those inside functions included; those for types alone are left out. A string that is
the full name of a module ("dimmer.pipeline.oracle.interpreter") counts as an import: that is how workers are started.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from dimmer.pipeline.core.imports import PACKAGE, Names, keep, names_of, source_names

ROOT = Path(__file__).resolve().parents[2]
"""Where the folders lie that are the package: the checkout, or `dimmer` in site-packages."""

DISTRIBUTIONS: Mapping[str, tuple[str, ...]] = {
    "PIL": ("pillow",),
    "ai_edge_litert": ("ai-edge-litert",),
    "ai_edge_quantizer": ("ai-edge-quantizer",),
    "audiomentations": ("audiomentations",),
    "elftools": ("pyelftools",),
    "ethosu": ("ethos-u-vela",),
    "flatbuffers": ("flatbuffers",),
    "mlxtend": ("mlxtend",),
    "numpy": ("numpy",),
    "onnx": ("onnx",),
    # It calls the others, and which operators it writes depends on all of them.
    "onnx2tf": ("onnx2tf", "onnx", "onnx-graphsurgeon", "onnxruntime", "onnxsim", "sng4onnx", "tensorflow", "tf-keras"),
    "onnxruntime": ("onnxruntime",),
    "onnxsim": ("onnxsim",),
    "pyarrow": ("pyarrow",),
    "safetensors": ("safetensors",),
    "scipy": ("scipy",),
    "tensorflow": ("tensorflow",),
    "timm": ("timm", "torchvision"),
    "torch": ("torch",),
    "torchvision": ("torchvision",),
    "tvm": ("apache-tvm", "apache-tvm-ffi"),
    "tvm_ffi": ("apache-tvm-ffi",),
}
"""Imported name -> distributions whose versions decide a result."""

WITHOUT_EFFECT = frozenset(
    {
        "cryptography",
        "dask",
        "distributed",
        "jinja2",
        "jsonschema",
        "matplotlib",
        "pandas",
        "pvlib",
        "pyjls",
        "rich",
        "tensorrt",
        "typer",
        "unicorn",
    }
)
"""Packages that only show results or check them, that sign them, that only a board has, that read recordings or run
boards' twins, as QEMU does, or that only simulations of fleets need, which are no stage: another version makes nothing
anew."""


@dataclass(frozen=True)
class Closure:
    """What some modules run.

    Attributes:
        files: source files of the package, sorted.
        packages: imported names of other packages, the standard library left out, sorted.
        foreign: name -> file of modules that somebody else brings, such as a family of networks.
    """

    files: tuple[Path, ...]
    packages: tuple[str, ...]
    foreign: tuple[tuple[str, Path], ...] = ()

    def hashes(self) -> dict[str, str]:
        """Name relative to the package, or a foreign module's name -> SHA-256 of each file."""
        own = {path.relative_to(ROOT).as_posix(): file_hash(path) for path in self.files}
        return own | {name: file_hash(path) for name, path in self.foreign}

    def versions(self) -> dict[str, str | None]:
        """Distribution -> version, of those that decide a result; None where it is not installed."""
        names = (name for package in self.packages for name in DISTRIBUTIONS.get(package, ()))
        return {name: _version(name) for name in sorted(set(names))}


@lru_cache(maxsize=256)
def closure(*modules: str) -> Closure:
    """The closure of modules, named in full: "dimmer.pipeline.training.loop"; other packages may be among them.

    Of a foreign module it has the module's own file and what that imports of Dimmer.

    Raises:
        ValueError: the package has no such module.
    """
    files: set[Path] = set()
    packages = {module.split(".")[0] for module in modules if module.split(".")[0] != PACKAGE}
    waiting = [module for module in modules if module.split(".")[0] == PACKAGE]
    foreign = tuple((name, path) for name in sorted(set(modules)) if (path := _foreign_file(name)) is not None)
    for module in waiting:
        if module != PACKAGE and not is_module(module):
            raise ValueError(f"there is no module {module}")
    for _, path in foreign:
        inner, outer = imports_of(path)
        waiting.extend(inner)
        packages |= outer
    seen: set[str] = set()
    while waiting:
        module = waiting.pop()
        if module in seen or module == PACKAGE:
            continue
        seen.add(module)
        # Importing a.b.c runs the packages a and a.b first.
        parent = module.rpartition(".")[0]
        if parent and parent != PACKAGE:
            waiting.append(parent)
        path = _file(module)
        assert path is not None
        files.add(path)
        inner, outer = imports_of(path)
        waiting.extend(inner)
        packages |= outer
    keep()
    return Closure(tuple(sorted(files)), tuple(sorted(packages)), foreign)


def file_hash(path: Path) -> str:
    """SHA-256 of a file; read again only if size, time or inode changed."""
    stat = path.stat()
    return _hash_file(path, stat.st_size, stat.st_mtime_ns, stat.st_ino)


def imports_of(path: Path) -> tuple[frozenset[str], frozenset[str]]:
    """What a source file imports: modules of the package by full name, and names of other packages."""
    stat = path.stat()
    return _imports(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4096)
def _imports(path: Path, _mtime_ns: int, _size: int) -> tuple[frozenset[str], frozenset[str]]:
    names = _split(source_names(path))
    inner = frozenset(name for name in names if name.split(".")[0] == PACKAGE)
    return inner, frozenset(name.split(".")[0] for name in names) - {PACKAGE}


def imported(node: ast.AST) -> tuple[str, ...]:
    """The modules that one node of a source imports, or names in full; those of the standard library left out.

    Examples:
        >>> imported(ast.parse("from dimmer.pipeline.modes import mode").body[0])
        ('dimmer.pipeline.modes', 'dimmer.pipeline.modes.mode')
        >>> imported(ast.parse("import json, numpy").body[0])
        ('numpy',)
    """
    return _split(names_of(node))


def _split(names: Names) -> tuple[str, ...]:
    ours = [name for name in (*names.imports, *names.perhaps) if is_module(name)]
    others = (n for n in names.imports if n.split(".")[0] not in (PACKAGE, *sys.stdlib_module_names))
    return (*ours, *others)


def is_module(name: str) -> bool:
    """Whether this is the full name of a module of the package."""
    return _file(name) is not None


@lru_cache(maxsize=4096)
def _file(module: str) -> Path | None:
    """The source file of a module of the package."""
    if not module.startswith(f"{PACKAGE}.") or not module.replace(".", "").replace("_", "").isalnum():
        return None
    parts = module.split(".")[1:]
    if not all(parts):
        return None
    # In a checkout the package's own files lie in a folder beside the others.
    for path in (ROOT.joinpath(*parts), ROOT.joinpath(PACKAGE, *parts)):
        for candidate in (path / "__init__.py", path.with_name(f"{path.name}.py")):
            if candidate.is_file():
                return candidate
    return None


def _foreign_file(module: str) -> Path | None:
    """The source file of a module that neither the package nor a distribution with a version in the keys has."""
    top = module.split(".")[0]
    if top == PACKAGE or top in DISTRIBUTIONS or top in WITHOUT_EFFECT or top in sys.stdlib_module_names:
        return None
    spec = find_spec(module)
    path = Path(spec.origin) if spec is not None and spec.origin is not None else None
    return path if path is not None and path.suffix == ".py" else None


@lru_cache(maxsize=64)
def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


@lru_cache(maxsize=1 << 17)
def _hash_file(path: Path, _size: int, _mtime_ns: int, _inode: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
