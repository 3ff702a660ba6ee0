"""`ddib-workbench` and its commands, put together; errors become messages and exit codes."""

import errno
import sys
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from ddib.errors import InputError, RunError
from workbench.cli.commands import cache, checkpoints, runs
from workbench.cli.commands.bench import bench
from workbench.cli.commands.doctor import doctor
from workbench.cli.commands.engine import engine
from workbench.cli.commands.manual import print_manual
from workbench.cli.commands.reference import (
    guides,
    metrics,
    operations,
    print_schema,
    solvers,
    sources,
)
from workbench.cli.commands.replay import replay_sessions
from workbench.cli.commands.screen import list_keys, open_session
from workbench.cli.commands.train import train
from workbench.cli.console import let_readers_go, narrate, show_every_character
from workbench.support.files import why

# What a command needs besides is imported when it runs: help and completion stay light.


class _ScreenByDefault(TyperGroup):
    """Without a subcommand, `ddib-workbench [SESSION]` opens the screen."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = ["open", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_ScreenByDefault,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(help="A workbench for experiments in the latent space of diffusion models.")
def load_own_files(context: typer.Context) -> None:
    """Load what the user's own files add; the screen does that after its first frame."""
    if context.invoked_subcommand != "open" and not {"-h", "--help"} & set(sys.argv):
        from workbench import own_files

        own_files.load_own_files()


app.command("open")(open_session)
app.command("keys")(list_keys)
app.command("replay")(replay_sessions)
app.command("operations")(operations)
app.command("guides")(guides)
app.command("solvers")(solvers)
app.command("sources")(sources)
app.command("metrics")(metrics)
app.command("schema")(print_schema)
app.command("manual")(print_manual)
app.command("doctor")(doctor)
app.command("engine")(engine)
app.command("bench")(bench)
app.command("train")(train)
app.add_typer(runs.app, name="runs")
app.add_typer(checkpoints.app, name="checkpoints")
app.add_typer(cache.app, name="cache")


_NO_SUCH_PATH = (errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EISDIR)


def main() -> NoReturn:
    """Run the command line; errors become one message and the exit codes of the manual."""
    show_every_character()
    try:
        app()
    except InputError as error:
        narrate.print(f"error: {error}", style="red", soft_wrap=True)
        sys.exit(2)
    except RunError as error:
        narrate.print(f"failed: {error}", style="red", soft_wrap=True)
        sys.exit(1)
    except OSError as error:
        wrong = error.errno in _NO_SUCH_PATH
        place = f"{error.filename}: " if error.filename else ""
        text = f"{'error' if wrong else 'failed'}: {place}{why(error)}"
        narrate.print(text, style="red", soft_wrap=True)
        sys.exit(2 if wrong else 1)
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        let_readers_go()
    sys.exit(0)
