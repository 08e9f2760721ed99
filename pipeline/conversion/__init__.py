# SPDX-License-Identifier: Apache-2.0
"""From a torch network to int8 `.tflite`: ONNX, float model, recognised tensors, quantised, narrowed."""
