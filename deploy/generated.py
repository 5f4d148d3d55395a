"""Files that are made of something else: written anew, or with `--check` only held against what they should be."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]


def write_or_check(files: Iterable[tuple[Path, str]], *, about: str, target: str) -> int:
    """Do what the command line says, name each file that was not current, and return the exit status.

    `files` gives each path with the text it should have, and is asked for the next one only when the one before is
    written: later files may be made of earlier ones. `about` is the help; `make <target>` is what writes them.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 where a file is not current")
    check, old = parser.parse_args().check, []
    for path, text in files:
        if not path.exists() or path.read_text() != text:
            old.append(path.relative_to(ROOT))
            if not check:
                path.write_text(text)
    sys.stdout.writelines(f"{path} {f'is not current; run: make {target}' if check else 'written'}\n" for path in old)
    return 1 if check and old else 0
