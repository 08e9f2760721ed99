# SPDX-License-Identifier: Apache-2.0
"""What is counted, against whom, and the committed baseline that keeps it from growing."""

import sys

if sys.argv[:1] == ["-m"]:
    from dimmer.endings import tell_of_imports

    tell_of_imports()
