"""Operators become steps: a kernel each, with the record that it reads."""
