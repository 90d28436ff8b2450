"""PlatformIO: its own packer takes the library; its manifest keeps the published rules."""

import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.models import float_model, quantized
from tests.packages.helpers import content, write_package

# `pio`, told of one licence: it would download SPDX's list from GitHub. No telemetry either.
PIO = """
import sys
from platformio.package.manifest.schema import ManifestSchema
known = {"licenses": [{"licenseId": "Apache-2.0"}]}
ManifestSchema.load_spdx_licenses = staticmethod(lambda: known)
from platformio.__main__ import main
sys.exit(main())
"""


def pio(tmp_path: Path, *words: object) -> "subprocess.CompletedProcess[str]":
    environment = {
        **os.environ,
        "PLATFORMIO_CORE_DIR": str(tmp_path / "core"),
        "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
        "PLATFORMIO_SETTING_CHECK_PLATFORMIO_INTERVAL": "9999",
    }
    command = [sys.executable, "-W", "ignore", "-c", PIO, *map(str, words)]
    return subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("formats", [("platformio",), ("arduino", "platformio", "cmake")])
def test_pio_packs_it(tmp_path: Path, formats: tuple[str, ...]) -> None:
    package = write_package(tmp_path / "rnnedge_net", quantized(float_model(1)), formats)
    done = pio(tmp_path, "pkg", "pack", package, "--output", tmp_path / "packed.tar.gz")
    assert done.returncode == 0, done.stdout + done.stderr
    with tarfile.open(tmp_path / "packed.tar.gz") as archive:
        names = archive.getnames()
        assert {"library.json", "src/net.h", "src/net_model.c", "LICENSE", "README.md"} <= set(
            names
        )
        assert not any(member.issym() or member.islnk() for member in archive.getmembers())


def test_pio_refuses_a_damaged_manifest(tmp_path: Path) -> None:
    """The test above would notice one."""
    package = write_package(tmp_path / "rnnedge_net", quantized(float_model(1)), ("platformio",))
    manifest = json.loads((package / "library.json").read_text())
    for field, value in (("version", "one"), ("license", "none of SPDX"), ("frameworks", "*no*")):
        (package / "library.json").write_text(json.dumps({**manifest, field: value}))
        done = pio(tmp_path, "pkg", "pack", package, "--output", tmp_path / "packed.tar.gz")
        assert done.returncode != 0, field


def test_the_manifest_keeps_the_published_rules() -> None:
    model = quantized(float_model(1))
    files = content(model, ("platformio",))
    manifest = json.loads(files["library.json"])
    assert {"name", "version"} <= set(manifest), "required"
    assert re.fullmatch(r"[^:/]{1,100}", manifest["name"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", manifest["version"])
    assert 1 <= len(manifest["description"]) <= 1000
    assert all(re.fullmatch(r"[a-z\d\-+. ]{1,50}", word) for word in manifest["keywords"])
    assert all(len(author["name"]) <= 100 for author in manifest["authors"])
    assert manifest["frameworks"] == manifest["platforms"] == "*"
    for header in manifest["headers"]:
        assert f"src/{header}" in files
    for folder in (manifest["build"]["srcDir"], manifest["build"]["includeDir"]):
        assert any(path.startswith(f"{folder}/") for path in files)
    for path in manifest["export"]["exclude"]:
        assert any(name.startswith(path) for name in files)


def test_a_long_list_of_classes_fits_the_description() -> None:
    import dataclasses

    model = quantized(float_model(1, classes=200))
    many = dataclasses.replace(model, classes=tuple(f"a long name, number {i}" for i in range(200)))
    manifest = json.loads(content(many, ("platformio",))["library.json"])
    assert len(manifest["description"]) <= 1000
    properties = content(many, ("arduino",))["library.properties"].decode()
    assert all(len(line) < 1000 for line in properties.splitlines())
