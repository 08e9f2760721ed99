# SPDX-License-Identifier: Apache-2.0
"""What power meters recorded: traces, the inferences in them, and the constants of a board that follow."""
