# SPDX-License-Identifier: Apache-2.0
"""The graph of a model: its types, what is proven of its values, and the passes over it."""
