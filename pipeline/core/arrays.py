# SPDX-License-Identifier: Apache-2.0
"""Names for arrays that pass between rooms; shapes stand where they are used."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Int8 = NDArray[np.int8]
"""Codes of a quantised tensor."""

UInt8 = NDArray[np.uint8]
"""Pixels, bits of blocks, ids of modes."""
