# SPDX-License-Identifier: Apache-2.0
"""What TFLite says: the interpreter, spliced models, sample inputs."""
