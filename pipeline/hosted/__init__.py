# SPDX-License-Identifier: Apache-2.0
"""A built model on this machine: its C as a shared library, called from Python."""

from dimmer.pipeline.hosted.loading import load
from dimmer.pipeline.hosted.model import Model

__all__ = ["Model", "load"]
