"""The firmware against the TFLite interpreter, bit for bit."""
