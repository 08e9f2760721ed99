"""Names as a file may have them."""

NASTY = ("*/ int x; /*", "a\nb", 'quote" and \\', "??/", "ünïcode ⚡", "x" * 3000, "", "\x00\x01", "${HOME}", "%s%n")
