# SPDX-License-Identifier: Apache-2.0
"""What each stage leaves, where it lies, and how it is read: here stages meet."""
