"""The log file in the user's state folder, and the narration on stderr."""

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

from workbench.support.text import clean

FORMAT = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"


class CleanFormatter(logging.Formatter):
    """Lines in which nothing is obeyed by the terminal of who reads them."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text, cleaned."""
        return clean(super().format(record))


def log_to_file(path: Path, verbose: bool = False) -> None:
    """Log to a file that is kept below a megabyte, and to stderr when `verbose`.

    A state folder that cannot be written costs the log, not the work.
    """
    handlers: list[logging.Handler] = [logging.StreamHandler()] if verbose else []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(
            RotatingFileHandler(path, maxBytes=2**20, backupCount=1, delay=True, encoding="utf-8")
        )
    except OSError:
        pass
    level = logging.DEBUG if verbose else logging.INFO
    for name in ("ddib", "workbench"):
        logger = logging.getLogger(name)
        logger.setLevel(level)
        logger.propagate = False
        logger.handlers = handlers or [logging.NullHandler()]
        for handler in handlers:
            handler.setFormatter(CleanFormatter(FORMAT))
