# SPDX-License-Identifier: Apache-2.0
"""The families of networks, one file each."""
