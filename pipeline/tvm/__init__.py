"""Modes through TVM: lowering, schedules, modules, tuning."""
