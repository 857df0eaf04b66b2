"""Serve the page to this machine alone: ``python -m studybook.screening.serve apps``."""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from studybook.screening import cards, uploads

HOST = "127.0.0.1"
VARIABLE = "HISTOLIB_SCREENING_MODEL"  # tells the notebook which model
TEMPLATE = "screening"
_ROOM = 2**20  # of a message beside the file that it carries


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the model and the port, then serve until Ctrl-C; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m studybook.screening.serve", description=__doc__)
    parser.add_argument("folder", type=Path, help="holds screening.ipynb and Voilà's template")
    parser.add_argument("--model", default="", help="a saved model (default: the one that the chapter saved last)")
    parser.add_argument("--port", type=int, default=8866, help="default: 8866")
    chosen = parser.parse_args(arguments)
    try:
        model = Path(chosen.model) if chosen.model else cards.newest(chosen.folder.parent)
        cards.read(model)
        _require_port(chosen.port)
    except (OSError, ValueError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    print(f"{model}: the page is at http://{HOST}:{chosen.port} in a few seconds; Ctrl-C ends it.", flush=True)
    with contextlib.suppress(KeyboardInterrupt):  # while it starts; later Voilà ends by itself
        serve(chosen.folder, model, chosen.port)
    return 0


def serve(folder: Path, model: Path, port: int) -> None:
    """Run Voilà in this process until it is interrupted.

    Parameters
    ----------
    folder
        Holds ``screening.ipynb`` and ``voila/templates/screening``.
    model
        A saved model.
    port
        A free port of this machine.
    """
    from traitlets.config import Config
    from voila.app import Voila

    os.environ[VARIABLE] = str(model.resolve())
    os.environ["JUPYTER_PATH"] = os.pathsep.join([str(folder.resolve()), os.environ.get("JUPYTER_PATH", "")])
    os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")  # Python's own kernel, whatever else is registered
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    page = {
        "template": TEMPLATE,
        "allow_template_override": "NO",
        "allow_theme_override": "NO",
        "file_allowlist": ["nothing"],
        # Not whatever else is installed beside the widgets.
        "extension_allowlist": ["@jupyter-widgets/jupyterlab-manager", "@voila-dashboards/widgets-manager8"],
        "strip_sources": True,
        "show_tracebacks": False,
    }
    Voila.launch_instance(
        [str(folder / "screening.ipynb")],
        ip=HOST,
        port=port,
        port_retries=0,
        open_browser=False,
        config_file_paths=[],  # nobody's own settings open the page to other machines
        log_level="WARN",
        tornado_settings={
            "websocket_max_message_size": uploads.BYTES + _ROOM,
            # A page of another site that calls this machine by a name of its own is turned away.
            "allow_remote_access": False,
            "local_hostnames": ["localhost", HOST],
        },
        config=Config({"VoilaConfiguration": page}),
    )


def _require_port(port: int) -> None:
    """Raise OSError if nothing can listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as problem:
            raise OSError(
                f"port {port} is not free ({problem}); name another, as in `make screen PORT=8867`"
            ) from problem


if __name__ == "__main__":
    sys.exit(main())
