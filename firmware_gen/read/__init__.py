"""A `.tflite` file becomes a graph, with every offset, shape and index checked."""
