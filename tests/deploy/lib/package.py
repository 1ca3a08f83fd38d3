"""Packages binaries as `cargo lambda build --output-format zip` does: `package.py BINARY ZIP`, pairs of them."""

import subprocess
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path


def package(binary: Path, target: Path, scratch: Path) -> None:
    """Writes `target`: a zip with the executable `bootstrap`, without symbols where `strip` is installed."""
    bootstrap = scratch / "bootstrap"
    shutil.copyfile(binary, bootstrap)
    if shutil.which("strip"):
        subprocess.run(["strip", bootstrap], check=True)
    entry = zipfile.ZipInfo("bootstrap", (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3  # Unix: the upper half of the attributes is a file's mode.
    entry.external_attr = 0o100755 << 16
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", compresslevel=1) as archive:
        archive.writestr(entry, bootstrap.read_bytes(), compresslevel=1)


def main() -> None:
    """Packages the binaries of the command line."""
    paths = [Path(argument) for argument in sys.argv[1:]]
    with tempfile.TemporaryDirectory() as scratch:
        for binary, target in zip(paths[::2], paths[1::2]):
            package(binary, target, Path(scratch))


main()
