#!/usr/bin/env python3
"""Prints the size of a function's binary by crate.

Build with symbols, then run it:

    cargo rustc --release -p perennial-NAME --bin NAME -- -C strip=none
    tests/benches/sizes.py target/release/NAME

Code of generic functions counts for the first crate in their name that is not of the standard library: most of serde and of the
standard library's collections is compiled for the types of another crate.
"""

import collections
import re
import subprocess
import sys

STANDARD = {"core", "alloc", "std", "hashbrown"}
# Crates that belong together, by the beginning of their names.
GROUPS = [
    ("perennial_", None),
    ("aws_sdk_", None),
    ("aws_", "aws_* (runtime, smithy, sigv4)"),
    ("hyper", "hyper, http, h2"),
    ("http", "hyper, http, h2"),
    ("h2", "hyper, http, h2"),
    ("rustls", "rustls, webpki"),
    ("webpki", "rustls, webpki"),
    ("tracing", "tracing"),
    ("regex", "regex"),
    ("aho_corasick", "regex"),
    ("toml", "toml, winnow"),
    ("winnow", "toml, winnow"),
    ("icu_", "idna, icu"),
    ("idna", "idna, icu"),
    ("zerovec", "idna, icu"),
    ("tokio", "tokio"),
    ("lambda_", "lambda_runtime"),
    ("serde", "serde, serde_json"),
    ("mail_", "mail-builder, mail-parser"),
]
SECTIONS = [".text", ".rodata", ".eh_frame", ".gcc_except_table", ".data.rel.ro", ".rela.dyn"]


def crate_of(name):
    """The crate that a demangled symbol counts for; symbols of C have no path."""
    crates = re.findall(r"(?<![\w:])([a-z_][a-z0-9_]*)(?:\[[0-9a-f]+\])?::", name)
    own = [crate for crate in crates if crate not in STANDARD]
    if own:
        return own[0]
    return "std, core, alloc" if crates else "C (ring, compiler)"


def group_of(crate):
    for start, group in GROUPS:
        if crate.startswith(start):
            return group or crate
    return crate


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main(binary):
    sizes = collections.Counter()
    for line in run("nm", "--print-size", "--demangle", binary).splitlines():
        symbol = re.fullmatch(r"[0-9a-f]+ ([0-9a-f]+) [tTwW] (.+)", line)
        if symbol:
            sizes[group_of(crate_of(symbol[2]))] += int(symbol[1], 16)
    print(f"{'code by crate':40} KB")
    for crate, size in sizes.most_common(25):
        print(f"{crate:40} {size / 1000:.0f}")
    rest = sum(sizes.values()) - sum(size for _, size in sizes.most_common(25))
    print(f"{'all others':40} {rest / 1000:.0f}")
    print(f"\n{'sections':40} KB")
    for line in run("size", "-A", binary).splitlines():
        parts = line.split()
        if len(parts) == 3 and parts[0] in SECTIONS:
            print(f"{parts[0]:40} {int(parts[1]) / 1000:.0f}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
