"""Plan from standard input to standard output: `python -m mappers`."""

import sys

from mappers.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdin.buffer, sys.stdout.buffer, sys.stderr))
