# SPDX-License-Identifier: Apache-2.0
"""A `.tflite` file becomes a graph, with every offset, shape and index checked."""
