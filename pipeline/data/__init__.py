# SPDX-License-Identifier: Apache-2.0
"""Data sets: one interface, one input encoding, one file each for those that are known (`sets/`).

Images are uint8[N,H,W,C] on disk and in memory. A network's input is ``(pixel - 128) / 64``, so that the int8
input of a quantised network is exactly ``pixel - 128`` with scale 1/64 and zero point 0: firmware needs one
subtraction and no table.
"""
