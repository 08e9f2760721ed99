"""Kinds of training, one class each."""
