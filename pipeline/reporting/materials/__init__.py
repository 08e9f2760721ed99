# SPDX-License-Identifier: Apache-2.0
"""Bills of materials: what a firmware or a bundle was made of, by what."""
