"""``python -m radioembolization.cli``."""

import sys

from radioembolization.cli import main

if __name__ == "__main__":
    sys.exit(main())
