"""What TFLite says: the interpreter, spliced models, sample inputs."""
