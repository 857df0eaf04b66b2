"""Run notebooks as far as the cell that checks their parameters: ``python first_cells.py FILE ...``.

One process for all, so that a chapter's imports are paid for once. Prints a line per notebook: ``ok``, or the error.
"""

import json
import sys

from IPython.core.interactiveshell import InteractiveShell


def run(shell: InteractiveShell, file: str) -> str:
    with open(file, encoding="utf8") as opened:
        cells = [cell for cell in json.load(opened)["cells"] if cell["cell_type"] == "code"]
    sources = ["".join(cell["source"]) for cell in cells]
    last = next(k for k, source in enumerate(sources) if "parameters.verify(In)" in source)
    for source in sources[: last + 1]:
        result = shell.run_cell(source, store_history=True)
        if not result.success:
            error = result.error_before_exec or result.error_in_exec
            return f"{type(error).__name__}: {error}"
    return "ok"


if __name__ == "__main__":
    instance = InteractiveShell.instance(colors="NoColor")
    for path in sys.argv[1:]:
        instance.reset(new_session=True)
        print(f"{path}: {run(instance, path)}", flush=True)
