# SPDX-License-Identifier: Apache-2.0
"""What every command needs: stages, the command line, progress, Debian packages."""
