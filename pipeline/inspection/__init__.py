# SPDX-License-Identifier: Apache-2.0
"""What files hold: `.tflite` models with the firmware that can be made of them, and checkpoints."""
