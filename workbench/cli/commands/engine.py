"""`ddib-workbench engine`: the engine's process for a screen elsewhere."""

from workbench.cli.options import CHECKPOINTS, DEVICE


def engine(device: DEVICE = "auto", checkpoints: CHECKPOINTS = None) -> None:
    """Serve a screen over stdin and stdout; the screen starts this by itself."""
    from workbench.engine.serving import serve

    folders_ = [f"--checkpoints={folder}" for folder in checkpoints or []]
    serve([f"--device={device}", *folders_])
