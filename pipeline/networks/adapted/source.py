# SPDX-License-Identifier: Apache-2.0
"""Where a user's network is from: `torchvision:NAME`, `timm:NAME` or `FILE.py:FACTORY`."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from dimmer.errors import DimmerError
from dimmer.pipeline.networks.adapted.probe import reason_of

LIBRARIES = ("torchvision", "timm")

_IMPORTED: dict[Path, dict[str, ModuleType]] = {}
"""A file of the user's -> name -> module that it imported from beside it."""

_KINDS = 'write "torchvision:NAME", "timm:NAME" or "FILE.py:FACTORY"'


def build_module(
    source: str, arguments: Sequence[str] = (), folder: Path = Path(), defaults: Mapping[str, object] | None = None
) -> nn.Module:
    """The network, in eval mode, with the weights that its factory gives it.

    Args:
        source: one of the three.
        arguments: "key=value" each, values as Python writes them: "num_classes=10"; anything else is a text.
        folder: from which the file's path counts.
        defaults: arguments of a library's network that ``arguments`` may replace.

    Raises:
        DimmerError: there is no such network, or it cannot be built.
    """
    where, _, name = source.rpartition(":")
    given = parse_arguments(arguments)
    if where in LIBRARIES:
        factory, given = _of_library(where, name), {**_known(where, defaults or {}), **given}
    elif where.endswith(".py"):
        factory = _of_file(folder / where, name)
    else:
        raise DimmerError(f"'{source}' names no network: {_KINDS}")
    file = source_file(source, folder)
    try:
        with nullcontext() if file is None else _beside(file):
            made = factory(**given)
    except (Exception, SystemExit) as error:  # whatever the user's code or a library raises
        raise DimmerError(f"{source} cannot be built with {given or 'no arguments'}: {reason_of(error)}") from error
    if not isinstance(made, nn.Module):
        raise DimmerError(f"{source} gives a {type(made).__name__}; it must return a torch.nn.Module")
    return made.eval()


def parse_arguments(arguments: Sequence[str]) -> dict[str, object]:
    """Keyword arguments from their texts.

    Raises:
        DimmerError: one has no name, or is given twice.

    Examples:
        >>> parse_arguments(["num_classes=10", "act=relu"])
        {'num_classes': 10, 'act': 'relu'}
    """
    found: dict[str, object] = {}
    for text in arguments:
        key, equals, value = text.partition("=")
        if not equals or not key.isidentifier():
            raise DimmerError(f"'{text}' is no argument; write NAME=VALUE, such as num_classes=10")
        if key in found:
            raise DimmerError(f"the argument {key} is given twice; give it once")
        try:
            found[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            found[key] = value
    return found


def source_file(source: str, folder: Path) -> Path | None:
    """The user's file that a source names; None for a library's network."""
    where = source.rpartition(":")[0]
    return folder / where if where.endswith(".py") else None


def _known(library: str, defaults: Mapping[str, object]) -> dict[str, object]:
    """The defaults that a library's factories take; torchvision's know no channels but three."""
    return {key: value for key, value in defaults.items() if library == "timm" or key == "num_classes"}


def _of_library(library: str, name: str) -> Any:
    module = import_library(library)
    if library == "timm":
        if not module.is_model(name):
            raise DimmerError(f"timm has no network '{name}'; timm.list_models() tells those it has")
        return lambda **given: module.create_model(name, **given)
    models = importlib.import_module("torchvision.models")
    if name not in models.list_models(module=models):
        raise DimmerError(
            f"torchvision has no classifier '{name}'; torchvision.models.list_models() tells those it has"
        )
    return lambda **given: models.get_model(name, **given)


def import_library(library: str) -> ModuleType:
    """One of `LIBRARIES`.

    Raises:
        DimmerError: it is not installed, or does not fit this torch.
    """
    try:
        if library == "timm":
            # timm imports torchvision for its transforms.
            import_library("torchvision")
        return importlib.import_module(library)
    except ModuleNotFoundError as error:
        raise DimmerError(f"{error.name} is not installed: pip install 'dimmer-nn[adapt]'") from error
    except RuntimeError as error:
        if library != "torchvision" or "torchvision::" not in str(error):
            raise DimmerError(f"{library} does not fit torch {torch.__version__}: {error}") from error
    return _without_operators()


def _without_operators() -> ModuleType:
    """One of torchvision whose own operators do not load: PyPI's is built for CUDA's torch, and classifiers need none.

    It registers what they do on meta tensors as it is imported, which is left out.
    """
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    register = torch.library.register_fake

    def leave_out(op: Any, *given: Any, **named: Any) -> Any:
        if str(op).startswith("torchvision::"):
            return lambda function: function
        return register(op, *given, **named)

    torch.library.register_fake = leave_out
    try:
        return importlib.import_module("torchvision")
    except (RuntimeError, ImportError) as error:
        raise DimmerError(
            f"torchvision does not fit torch {torch.__version__}: {error}; install the build for it"
        ) from error
    finally:
        torch.library.register_fake = register


def _of_file(path: Path, name: str) -> Any:
    if not path.is_file():
        raise DimmerError(f"{path}: there is no such file; {_KINDS}")
    spec = spec_from_file_location(f"dimmer_user_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    # Pickled and copied objects want to find this one.
    sys.modules[spec.name] = module
    try:
        with _beside(path):
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever the user's code raises
        relative = "; write 'from blocks import', not 'from .blocks import'" if "relative import" in str(error) else ""
        raise DimmerError(f"{path} cannot be imported: {reason_of(error)}{relative}") from error
    if not callable(factory := getattr(module, name, None)):
        own = [key for key, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__]
        have = ", ".join(key for key in own if callable(vars(module)[key]) and not key.startswith("_"))
        raise DimmerError(f"{path} has no function '{name}'; it has {have or 'none'}")
    return factory


@contextmanager
def _beside(path: Path) -> Iterator[None]:
    """Within, modules that lie beside a file of the user's can be imported; which ones were is noted.

    They are the file's own: another one's of the same names are put away meanwhile.
    """
    file = path.resolve()
    home, known = file.parent, sys.path[:]
    for other, noted in _IMPORTED.items():
        for name, module in noted.items():
            if other != file and sys.modules.get(name) is module:
                del sys.modules[name]
    sys.modules.update(_IMPORTED.setdefault(file, {}))
    before = set(sys.modules)
    sys.path.insert(0, str(home))
    try:
        importlib.invalidate_caches()
        yield
    finally:
        sys.path[:] = known
        for name in sorted(sys.modules.keys() - before):
            place = _place(sys.modules[name])
            if place is not None and place.is_relative_to(home) and place != file:
                _IMPORTED[file][name] = sys.modules[name]


def _place(module: ModuleType) -> Path | None:
    """The file of a module, where it is none of Python's or of an installed package."""
    name = getattr(module, "__file__", None)
    place = None if name is None else Path(name).resolve()
    if place is None or {"site-packages", "dist-packages"} & set(place.parts):
        return None
    return place


def imported_beside(path: Path) -> tuple[Path, ...]:
    """The files beside a user's one, or in folders there, that it imported as networks were built of it."""
    places = map(_place, _IMPORTED.get(path.resolve(), {}).values())
    return tuple(dict.fromkeys(place for place in places if place is not None))


def forget(path: Path) -> None:
    """Has what a user's file imported be imported anew."""
    for name, module in _IMPORTED.pop(path.resolve(), {}).items():
        if sys.modules.get(name) is module:
            del sys.modules[name]
