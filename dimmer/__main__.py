"""``python -m dimmer``: the command `dimmer`."""

from dimmer.pipeline.cli import main

main()
