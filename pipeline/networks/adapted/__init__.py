# SPDX-License-Identifier: Apache-2.0
"""Any torch module of the user's made adaptive: probed, split, and given twins and skips; docs/adapt.md."""
