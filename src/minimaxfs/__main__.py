"""`python -m minimaxfs`."""

import sys

from minimaxfs.cli import main

if __name__ == "__main__":
    sys.exit(main())
