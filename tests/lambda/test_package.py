"""Tests of `infra/package`: a zip without traces of its build, and a bill of materials that agrees with Cargo."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
import zipfile
from importlib.machinery import SourceFileLoader
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "infra/package"
TRIPLE = "x86_64-unknown-linux-gnu"


def load():
    # A script without an ending; its bytecode would be left beside it.
    sys.dont_write_bytecode = True
    loader = SourceFileLoader("package", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("package", loader))
    loader.exec_module(module)
    return module


package = load()


class Zips(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)

    def zipped(self, where, mode, modified):
        binary = self.directory / where / "bootstrap"
        binary.parent.mkdir()
        binary.write_bytes(b"\x7fELF" + bytes(range(256)) * 1000)
        binary.chmod(mode)
        os.utime(binary, (modified, modified))
        package.write_zip(binary, binary.with_suffix(".zip"))
        return binary.with_suffix(".zip")

    def test_one_binary_is_the_same_zip_whenever_and_wherever_it_was_built(self):
        one = self.zipped("here", 0o755, 1_000_000_000)
        two = self.zipped("over there", 0o700, 1_700_000_000)
        self.assertEqual(one.read_bytes(), two.read_bytes())

    def test_the_zip_holds_one_executable_called_bootstrap(self):
        made = self.zipped("here", 0o600, 1_000_000_000)
        with zipfile.ZipFile(made) as archive:
            (entry,) = archive.infolist()
            self.assertEqual(entry.filename, "bootstrap")
            self.assertEqual(entry.external_attr >> 16, 0o100755)
            self.assertEqual(archive.read(entry), made.with_suffix("").read_bytes())
        self.assertEqual([file.name for file in sorted(made.parent.iterdir())], ["bootstrap", "bootstrap.zip"])


class Bills(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        metadata = json.loads(package.output(["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", TRIPLE]))
        cls.known = {(crate["name"], crate["version"]): crate for crate in metadata["packages"]}
        cls.bills = {}
        with tempfile.TemporaryDirectory() as directory:
            binary = Path(directory) / "bootstrap"
            binary.write_bytes(b"a binary")
            for name in package.FUNCTIONS:
                package.write_bill(name, TRIPLE, binary, binary.with_suffix(".cdx.json"))
                cls.bills[name] = binary.with_suffix(".cdx.json").read_text()
            package.write_bill("sweep", TRIPLE, binary, binary.with_suffix(".cdx.json"))
            cls.again = binary.with_suffix(".cdx.json").read_text()

    def components(self, name):
        return json.loads(self.bills[name])["components"]

    def test_they_are_cyclonedx(self):
        for name, bill in self.bills.items():
            self.assertIsNone(JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill), name)

    def test_each_crate_is_the_locked_one(self):
        locked = (ROOT / "Cargo.lock").read_text()
        for name in package.FUNCTIONS:
            for component in self.components(name):
                entry = f'name = "{component["name"]}"\nversion = "{component["version"]}"\n'
                self.assertIn(entry, locked, name)
                rest = locked.split(entry, 1)[1].split("\n\n", 1)[0]
                checksum = re.search(r'^checksum = "(\w+)"', rest, re.MULTILINE)
                hashes = [found["content"] for found in component.get("hashes", [])]
                self.assertEqual(hashes, [checksum[1]] if checksum else [], component["name"])
                self.assertTrue(component["licenses"], component["name"])

    def test_what_each_crate_cannot_do_without_is_listed_too(self):
        for name in package.FUNCTIONS:
            components = self.components(name)
            listed = {component["name"] for component in components}
            for component in [*components, {"name": f"perennial-{name}", "version": "0.1.0"}]:
                for needed in self.known[component["name"], component["version"]]["dependencies"]:
                    always = needed["kind"] is None and not needed["optional"] and needed["target"] is None
                    if always and not self.is_macro(needed["name"]):
                        self.assertIn(needed["name"], listed, f"{name}: {component['name']}")

    def is_macro(self, name):
        found = [crate for (known, _), crate in self.known.items() if known == name]
        return any("proc-macro" in target["kind"] for crate in found for target in crate["targets"])

    def test_a_function_lists_what_it_uses_and_not_what_others_do(self):
        names = {name: {component["name"] for component in self.components(name)} for name in package.FUNCTIONS}
        self.assertIn("aws-sdk-sesv2", names["deliver"])
        self.assertNotIn("aws-sdk-sesv2", names["sweep"])
        for listed in names.values():
            self.assertLessEqual({"tokio", "ring", "perennial-store", "aws-sdk-dynamodb"}, listed)
            # Dependencies of tests, of the compiler, of the embedded stack.
            self.assertTrue(listed.isdisjoint({"perennial-testkit", "proptest", "tokio-macros", "serde_derive", "dynoxide-rs"}))

    def test_a_bill_names_its_binary_and_is_the_same_each_time(self):
        bill = json.loads(self.bills["sweep"])
        self.assertEqual(bill["metadata"]["component"]["name"], "perennial-sweep")
        self.assertEqual(bill["metadata"]["component"]["hashes"][0]["content"], package.hashlib.sha256(b"a binary").hexdigest())
        self.assertEqual(self.bills["sweep"], self.again)


class Builds(unittest.TestCase):
    def test_no_directory_of_this_machine_gets_into_a_build_nor_do_flags_of_the_caller(self):
        environment = package.reproducible({"HOME": "/home/someone", "PATH": os.environ["PATH"], "RUSTFLAGS": "-g", "CARGO_TARGET_DIR": "/t"})
        flags = environment["CARGO_ENCODED_RUSTFLAGS"].split("\x1f")
        for there, name in [(ROOT, "/perennial"), ("/t", "/perennial/target")]:
            self.assertIn(f"--remap-path-prefix={there}={name}", flags)
            self.assertIn(f"-ffile-prefix-map={there}={name}", environment["CFLAGS"])
        self.assertNotIn("RUSTFLAGS", environment)

    def test_it_explains_itself_and_refuses_what_it_does_not_know(self):
        run = lambda *arguments: subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True)
        explained = run("--help")
        self.assertEqual(explained.returncode, 0)
        self.assertIn("bootstrap.cdx.json", explained.stdout)
        refused = run("reports")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("there is no function 'reports'", refused.stderr)


if __name__ == "__main__":
    unittest.main()
