# SPDX-License-Identifier: Apache-2.0
"""`.tflite` files in, C out: reads the modes of a network, plans their memory and emits the firmware's tables."""
