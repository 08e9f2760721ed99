# SPDX-License-Identifier: Apache-2.0
"""Terms of the data sets that Dimmer brings a reader for; models/LICENCES.md has the words behind them."""

from __future__ import annotations

from collections.abc import Mapping

TERMS: Mapping[str, str] = {
    "cifar10": "none stated; cite A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009",
    "mnist5k": "CC-BY-SA-3.0",
}
"""Data set -> an SPDX identifier, or the authors' words; a set that is not here is its owner's to state."""
