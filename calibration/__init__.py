"""Calibration as a library: it knows tensors and modules, not files, recipes or targets."""
