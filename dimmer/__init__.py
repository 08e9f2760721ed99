# SPDX-License-Identifier: Apache-2.0
"""Dimmer: one network, dimmed like a lamp.

``dimmer.load(path)`` gives a built model that runs on this machine: `dimmer.pipeline.hosted`.
``dimmer.adapt(network, sample)`` makes a torch network adaptive: `dimmer.pipeline.networks.adapted.adaptive`.

In a checkout the folders beside this one are part of the package: `pipeline/` is `dimmer.pipeline`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dimmer.pipeline.hosted import Model as Model
    from dimmer.pipeline.hosted import load as load
    from dimmer.pipeline.networks.adapted.adaptive import adapt as adapt

_CHECKOUT = Path(__file__).resolve().parent.parent
if (_CHECKOUT / "noxfile.py").is_file():
    __path__.append(str(_CHECKOUT))

_ABOVE = {
    "Model": "dimmer.pipeline.hosted",
    "adapt": "dimmer.pipeline.networks.adapted.adaptive",
    "load": "dimmer.pipeline.hosted",
}
__all__ = ["Model", "adapt", "load"]


def __getattr__(name: str) -> Any:
    """What lies above this package in the house is imported when it is first asked for."""
    if name not in _ABOVE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_ABOVE[name]), name)
