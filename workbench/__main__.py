"""`ddib-workbench`: the screen opens without waiting for the command line's parser to load."""

import sys

from workbench.support.processes import leave_working_directory

# All else is imported once the working directory is off the module path.


def main() -> None:
    """`ddib-workbench` and `ddib-workbench SESSION` open the screen, all else is a command."""
    leave_working_directory()
    from pathlib import Path

    arguments = sys.argv[1:]
    if not arguments or (len(arguments) == 1 and Path(arguments[0]).suffix in (".yaml", ".yml")):
        from workbench.tui.launch import open_screen

        open_screen(Path(arguments[0]) if arguments else None)
    else:
        from workbench.cli.main import main as command_line

        command_line()


if __name__ == "__main__":
    main()
