# SPDX-License-Identifier: Apache-2.0
"""Models as images of their own for slots of a device's flash, and records of settings."""
