# SPDX-License-Identifier: Apache-2.0
"""Dimmer's stages, in the order in which data flows; each runs as ``python -m pipeline.<stage>``."""

import sys

# While Python looks for the command that it is to run, or the program `dimmer` begins to import.
if sys.argv[:1] == ["-m"] or (sys.argv[:1] and sys.argv[0].endswith(("/dimmer", "/dimmer/__main__.py"))):
    from dimmer.endings import tell_of_imports

    tell_of_imports()
