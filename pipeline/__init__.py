# SPDX-License-Identifier: Apache-2.0
"""Dimmer's stages, in the order in which data flows; each runs as ``python -m pipeline.<stage>``."""

import sys

# While Python looks for the command that it is to run.
if sys.argv[:1] == ["-m"]:
    from dimmer.endings import tell_of_imports

    tell_of_imports()
