# SPDX-License-Identifier: Apache-2.0
"""What a battery does under a policy."""
