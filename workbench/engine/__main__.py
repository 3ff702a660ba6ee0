"""The engine's process."""

import signal
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve one screen until it closes stdin; exits with code 2 where it cannot.

    Who interrupts it before it listens ends it without a word.
    """
    try:
        from workbench.engine.serving import serve

        serve(arguments)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


if __name__ == "__main__":
    main()
