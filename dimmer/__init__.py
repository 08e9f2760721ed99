# SPDX-License-Identifier: Apache-2.0
"""Dimmer: one network, dimmed like a lamp.

In a checkout the folders beside this one are part of the package: `pipeline/` is `dimmer.pipeline`.
"""

from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parent.parent
if (_CHECKOUT / "noxfile.py").is_file():
    __path__.append(str(_CHECKOUT))
