# SPDX-License-Identifier: Apache-2.0
"""``python -m dimmer``: the command `dimmer`."""

from dimmer.pipeline.cli import main

main()
