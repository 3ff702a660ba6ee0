"""An engine serves one screen: requests come on stdin, events go to stdout, a JSON object a line.

It ends when its stdin closes: the step under way is finished, what is finished is written.
"""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from ddib.data.file_names import unescape_name
from ddib.errors import InputError, RunError
from ddib.paths import user_path
from workbench.engine.protocol.conversation import Conversation
from workbench.engine.protocol.messages import (
    Asked,
    Finished,
    Inspect,
    Message,
    Ready,
    RunSession,
    Trace,
)
from workbench.library.configuration import read_config
from workbench.library.folders import folders
from workbench.own_files import load_own_files
from workbench.runs.writing import stamped_name
from workbench.session.schema import Session
from workbench.support.files import parse_size
from workbench.support.logs import log_to_file
from workbench.support.text import clean

if TYPE_CHECKING:
    from workbench.engine.execution.engine import Engine
    from workbench.engine.planning.plan import Plan

log = logging.getLogger(__name__)


def serve(arguments: Sequence[str] | None = None) -> None:
    """Serve one screen until it closes stdin; exits with code 2 where it cannot."""
    options = _parser().parse_args(arguments)
    try:
        _answer_requests(options)
    except InputError as error:
        print(clean(f"error: {error}"), file=sys.stderr)
        sys.exit(2)


def _answer_requests(options: argparse.Namespace) -> None:
    log_to_file(folders().log)
    events = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever else is printed must not end up between the events
    requests = os.fdopen(os.dup(0), "rb")  # the interpreter aborts if sys.stdin is being read
    load_own_files()
    conversation = Conversation(requests, events)
    threading.Thread(target=conversation.read, daemon=True).start()

    def close(*_: object) -> None:  # in a thread, as the one that is interrupted may hold the locks
        threading.Thread(target=conversation.close, daemon=True).start()

    signal.signal(signal.SIGINT, close)

    import torch

    from workbench.engine.devices.device import device_name
    from workbench.engine.execution.engine import Engine

    if options.threads:
        torch.set_num_threads(options.threads)
    engine = Engine(
        options.device,
        cache_folder=None if options.no_cache else folders().cache_chunks,
        cache_limit=parse_size(read_config().cache_limit),
        checkpoints=options.checkpoints,
    )
    conversation.send(
        Ready(
            device=str(engine.device),
            device_name=device_name(engine.device),
            torch=torch.__version__,
            threads=torch.get_num_threads(),
        )
    )
    while (request := conversation.next()) is not None:
        conversation.answer(_answer(engine, request, conversation))


def _answer(engine: "Engine", request: Asked, conversation: Conversation) -> Message:
    from workbench.engine.inspection.latents import inspect
    from workbench.engine.inspection.trajectory import trace
    from workbench.engine.planning.plan import make_plan

    def cancelled() -> bool:
        return conversation.stopping

    try:
        if isinstance(request, Trace):
            return trace(engine, request, cancelled)
        plan = make_plan(
            Session.model_validate(request.session),
            Path(unescape_name(request.base)),
            request.name if isinstance(request, RunSession) else "inspected",
            checkpoints=engine.checkpoints,
            sample=request.sample,
        )
        engine.models(plan)
        if isinstance(request, Inspect):
            return inspect(engine, plan, request, cancelled)
        return _run(engine, plan, request, conversation)
    except (InputError, RunError, ValidationError) as error:
        return Finished(id=request.id, status="failed", error=clean(str(error)))
    except Exception as error:
        log.exception("%s %s failed", request.type, request.id)
        message = f"{type(error).__name__}: {error}; details are in {folders().log}"
        return Finished(id=request.id, status="failed", error=clean(message))


def _run(
    engine: "Engine", plan: "Plan", request: RunSession, conversation: Conversation
) -> Finished:
    from workbench.engine.execution.order import Order
    from workbench.engine.execution.run import run_plan

    store = user_path(unescape_name(request.store)) if request.store else folders().runs
    order = Order(
        id=request.id,
        store=store if request.keep else None,
        run_name=stamped_name(request.name, datetime.now()),
        previews_per_second=lambda: conversation.previews_per_second,
    )
    return run_plan(engine, plan, order, conversation.send, lambda: conversation.stopping)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m workbench.engine", description=__doc__)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--checkpoints", type=Path, action="append", default=[])
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--no-cache", action="store_true")
    return parser
