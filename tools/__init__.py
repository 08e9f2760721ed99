# SPDX-License-Identifier: Apache-2.0
"""What keeps this repository in order; nothing of it is installed."""
