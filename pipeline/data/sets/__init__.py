# SPDX-License-Identifier: Apache-2.0
"""Known data sets, one file each."""
