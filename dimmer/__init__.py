# SPDX-License-Identifier: Apache-2.0
"""Dimmer: one network, dimmed like a lamp.

``dimmer.load(path)`` gives a built model that runs on this machine: `dimmer.pipeline.hosted`.

In a checkout the folders beside this one are part of the package: `pipeline/` is `dimmer.pipeline`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dimmer.pipeline.hosted import Model as Model
    from dimmer.pipeline.hosted import load as load

_CHECKOUT = Path(__file__).resolve().parent.parent
if (_CHECKOUT / "noxfile.py").is_file():
    __path__.append(str(_CHECKOUT))

_HOSTED = ("Model", "load")
__all__ = ["Model", "load"]


def __getattr__(name: str) -> Any:
    """What lies above this package in the house is imported when it is first asked for."""
    if name not in _HOSTED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module("dimmer.pipeline.hosted"), name)
