"""The command line of scripts/conversation-figures."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from figures import changes, searching, uploading


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/conversation-figures")
    kinds = parser.add_subparsers(dest="kind", required=True)
    for name, module in (("changes", changes), ("search", searching), ("uploads", uploading)):
        kind = kinds.add_parser(name, help=module.__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
        module.add_options(kind)
        kind.set_defaults(measure=module.measure)
    options = parser.parse_args()
    # Not in /tmp, which may be in memory.
    with tempfile.TemporaryDirectory(prefix="figures-", dir=options.directory) as directory:
        is_good = True
        for figure in options.measure(options, Path(directory)):
            print(json.dumps(figure, ensure_ascii=False), flush=True)
            is_good = is_good and figure.get("good", True)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
