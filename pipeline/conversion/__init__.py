"""From a torch network to int8 `.tflite`: ONNX, float model, recognised tensors, quantised, narrowed."""
