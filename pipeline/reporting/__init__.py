# SPDX-License-Identifier: Apache-2.0
"""report.json, report.html, the summary on the terminal, and the deliverables."""
