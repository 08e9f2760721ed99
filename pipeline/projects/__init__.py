# SPDX-License-Identifier: Apache-2.0
"""Projects: what `dimmer init` asks, and the files that it writes."""
