"""Checks the comments and documents of the repository against phrases.tsv.

    python3 tests/plain-english/check.py [FILE …]

Prints `file:line: phrase: write instead`, and exits with 1 if there is a finding. Code and its strings are not checked.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PHRASES = Path(__file__).with_name("phrases.tsv")
# The licence and files that tools write are not ours to word. The phrases themselves are listed in their file.
SKIPPED = re.compile(r"(^|/)(LICENSE|Cargo\.lock|package-lock\.json|CHANGELOG\.md|phrases\.tsv)$|^tests/captures/|^events/.*\.json$")
DOCUMENTS = {".md"}
HASH = {".toml", ".tf", ".py", ".sh", ".yml", ".yaml"}
SLASH = {".rs", ".ts", ".js", ".mjs"}
SCRIPTS = {"tests/run", ".ci/run"}

RUST = re.compile(r"""(?P<comment>//[^\n]*|/\*.*?\*/)|b?r(?P<h>#*)".*?"(?P=h)|"(?:\\.|[^"\\])*"|'(?:\\.[^']*|[^'\\\n])'""", re.S)
SCRIPT = re.compile(r"""(?P<comment>//[^\n]*|/\*.*?\*/)|`(?:\\.|[^`\\])*`|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.S)
PYTHON = re.compile(r'''(?P<comment>\#[^\n]*)|"""(?:\\.|[^\\])*?"""|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*\'''', re.S)


def phrases():
    for number, line in enumerate(PHRASES.read_text("utf-8").splitlines(), 1):
        if line and not line.startswith("#"):
            where, pattern, instead = line.split("\t")
            if where not in ("start", "text"):
                raise SystemExit(f"{PHRASES}:{number}: `{where}` is not `start` or `text`")
            yield where, re.compile(rf"\b(?:{pattern})".replace(" ", r"\s+"), re.I), instead


def any_of(listed):
    return re.compile(r"\b(?:" + "|".join(pattern.pattern.removeprefix(r"\b") for where, pattern, _ in listed if where == "text") + ")", re.I)


def nulls(found):
    return "\0" * len(found.group())


def blanked(text, keep=()):
    """Blanks `text` but for the ranges `keep`; line ends stay, so that positions do."""
    out, at = [], 0
    for start, end in [*keep, (len(text), len(text))]:
        out += [re.sub(r"\S+", nulls, text[at:start]), text[start:end]]
        at = end
    return "".join(out)


def without_code(text):
    """Blanks fenced blocks and code spans of Markdown."""
    blank = lambda found: re.sub(r"\S+", nulls, found.group())
    return re.sub(r"`[^`\n]+`", blank, re.sub(r"^\W*(```|~~~).*?^\W*\1", blank, text, flags=re.S | re.M))


def prose(path, text):
    """Returns the comments or the text of a file, with all else blanked, and where its Rust doc comments start."""
    if path.suffix in DOCUMENTS:
        return without_code(text), []
    pattern = RUST if path.suffix == ".rs" else SCRIPT if path.suffix in SLASH else PYTHON
    keep, starts, before = [], [], None
    for found in pattern.finditer(text):
        if found.group("comment") is None:
            continue
        marker = re.match(r"//[/!]?|/\*\*?|#", found.group()).group()
        is_doc = path.suffix == ".rs" and marker in ("///", "//!")
        start = found.start() + len(marker)
        if is_doc and (before is None or text[before : found.start()].strip() or text.count("\n", before, found.start()) != 1):
            starts.append(start)
        keep.append((start, found.end()))
        before = found.end() if is_doc else None
    # Markers between the lines of one comment become white space, so that phrases are found across its lines.
    masked = blanked(text, keep)
    return without_code(re.sub(r"\n[ \t]*\0+(?=[ \w])", lambda found: "\n" + " " * (len(found.group()) - 1), masked)), starts


def findings(path, text, listed):
    masked, starts = prose(path, text)
    # One search for all phrases is many times as fast as one search for each, and most files contain none.
    some = any_of(listed).search(masked)
    for where, pattern, instead in listed:
        if where == "start":
            found = filter(None, (re.compile(r"\s*" + pattern.pattern, re.I).match(masked, start) for start in starts))
        elif not some:
            continue
        else:
            found = pattern.finditer(masked)
        for each in found:
            phrase = each.group().strip()
            yield text.count("\n", 0, each.end() - len(phrase)) + 1, " ".join(phrase.split()), instead


def main(arguments):
    listed = list(phrases())
    names = arguments or subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    count = 0
    for name in names:
        path = ROOT / name
        if SKIPPED.search(name) or not (path.suffix in DOCUMENTS | HASH | SLASH or name in SCRIPTS):
            continue
        for line, phrase, instead in sorted(findings(path, path.read_text("utf-8"), listed)):
            print(f"{name}:{line}: \"{phrase}\": write instead: {instead}")
            count += 1
    if count:
        print(f"{count} phrases to reword; tests/plain-english/phrases.tsv lists them all", file=sys.stderr)
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
