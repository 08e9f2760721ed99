"""report.json, report.html, the summary on the terminal, and the deliverables."""
