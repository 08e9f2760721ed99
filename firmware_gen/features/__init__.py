# SPDX-License-Identifier: Apache-2.0
"""What a device makes of samples before a network sees them: parameters, integer references, tables as C."""
