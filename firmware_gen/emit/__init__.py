"""The C text: tables, policy, sources and headers."""
