# SPDX-License-Identifier: Apache-2.0
"""Readers of data of one's own, one file each.

A reader has ``files(data)``, whose contents are part of the stages' keys, and ``samples(data, problems)``, which gives
one sample after the other and names what it cannot take: nobody's data is whole.
"""
