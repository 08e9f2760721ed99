"""What lies where: constants in flash, shared between modes, and buffers in one arena."""
