"""Bundles for Linux boards: program, library, weights, self-test."""
