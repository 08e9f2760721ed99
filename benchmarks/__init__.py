# SPDX-License-Identifier: Apache-2.0
"""What is counted, against whom, and the committed baseline that keeps it from growing."""
