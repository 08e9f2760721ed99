# SPDX-License-Identifier: Apache-2.0
"""Networks of others' making, as files, on their way to int8 `.tflite`: made float, observed, quantised, compared."""
