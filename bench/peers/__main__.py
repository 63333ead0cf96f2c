"""Runs the comparison with dj-stripe."""

import sys

from bench.peers.measure import main

if __name__ == "__main__":
    sys.exit(main())
