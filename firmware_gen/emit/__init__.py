# SPDX-License-Identifier: Apache-2.0
"""The C text: tables, policy, sources and headers."""
