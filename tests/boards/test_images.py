"""Images against independent readers: objcopy, intelhex, and UF2's specification read again."""

import struct
import subprocess
from pathlib import Path

import pytest
from intelhex import IntelHex

from rnnedge.boards.images import RP2040, Image, read_image
from rnnedge.errors import ToolError
from rnnedge.targets import find_counting_target
from tests.runs import make_export, make_run

OBJCOPY = {
    "cortex-m0": "arm-none-eabi-objcopy",
    "rv32": "riscv64-unknown-elf-objcopy",
    "avr": "avr-objcopy",
}


@pytest.fixture(scope="module", params=list(OBJCOPY))
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A linked program with code, constants and initialised data, and the tool that reads it."""
    folder = tmp_path_factory.mktemp(request.param)
    exported = make_export(folder / "export", make_run(folder / "run"))
    return find_counting_target(request.param).build(exported, folder, "speed")


def objcopy(program: Path, form: str) -> bytes:
    tool = OBJCOPY[program.stem]
    out = program.with_suffix(f".{form}")
    command = [tool, "-O", form, program, out]
    subprocess.run(command, check=True, capture_output=True)
    return out.read_bytes()


def test_bin_and_hex_are_what_objcopy_makes(program: Path, tmp_path: Path) -> None:
    image = read_image(program)
    assert image.bin() == objcopy(program, "binary")
    assert len(image.bin()) > 4000
    objcopy(program, "ihex")
    theirs = IntelHex(str(program.with_suffix(".ihex")))
    (tmp_path / "ours.hex").write_bytes(image.hex())
    ours = IntelHex(str(tmp_path / "ours.hex")).todict()
    bytes_of_sections = {k: v for k, v in theirs.todict().items() if k != "start_addr"}
    assert bytes_of_sections.items() <= ours.items()
    between = set(ours) - set(bytes_of_sections)
    assert len(between) < 16 and not any(ours[address] for address in between), "alignment only"
    assert read_image(tmp_path / "ours.hex").bin() == image.bin()


def test_hex_is_read_back_by_objcopy(program: Path, tmp_path: Path) -> None:
    image = read_image(program)
    (tmp_path / "ours.hex").write_bytes(image.hex())
    tool = OBJCOPY[program.stem]
    command = [tool, "-I", "ihex", "-O", "binary", "ours.hex", "back.bin"]
    subprocess.run(command, check=True, cwd=tmp_path, capture_output=True)
    assert (tmp_path / "back.bin").read_bytes() == image.bin()


def read_uf2(data: bytes) -> dict[int, bytes]:
    """Read a UF2 file by its specification's words, and by those of the RP2040's boot ROM.

    Blocks of 512 bytes; magic numbers at 0, 4 and 508; flags at 8, address at 12, number of bytes
    at 16, number of the block at 20, of all blocks at 24, family at 28 if flag 0x2000 is set; data
    from 32 on. The boot ROM: family 0xE48BFF56, 256 bytes, at multiples of 256, in flash.
    """
    assert len(data) % 512 == 0
    blocks = [data[at : at + 512] for at in range(0, len(data), 512)]
    pages = {}
    for number, block in enumerate(blocks):
        word = {at: int.from_bytes(block[at : at + 4], "little") for at in range(0, 512, 4)}
        assert (word[0], word[4], word[508]) == (0x0A324655, 0x9E5D5157, 0x0AB16F30)
        assert block[:4] == b"UF2\n"
        assert word[8] & 0x2000 and not word[8] & 1, "has a family, and is for the flash"
        assert word[28] == 0xE48BFF56
        assert word[16] == 256
        assert word[12] % 256 == 0 and 0x10000000 <= word[12] < 0x11000000
        assert (word[20], word[24]) == (number, len(blocks))
        assert not any(block[32 + 256 : 508]), "what is not used is zero"
        assert word[12] not in pages
        pages[word[12]] = block[32 : 32 + 256]
    return pages


@pytest.mark.parametrize(
    ("start", "size"), [(0x10000000, 1), (0x10000000, 4096), (0x10000000, 9000), (0x10000100, 300)]
)
def test_uf2_follows_its_specification_and_the_boot_rom(start: int, size: int) -> None:
    content = bytes((7 * i + 1) % 251 for i in range(size))
    pages = read_uf2(Image(segments=((start, content),)).uf2())
    flash = b"".join(pages[address] for address in sorted(pages))
    first = min(pages)
    assert first % 4096 == 0 and len(flash) % 4096 == 0, "whole sectors, each erased as one"
    assert sorted(pages) == list(range(first, first + len(flash), 256)), "no gaps in a sector"
    assert flash[start - first :][:size] == content
    assert set(flash[start - first + size :]) <= {0xFF}
    assert set(flash[: start - first]) <= {0xFF}


def test_uf2_keeps_gaps_erased() -> None:
    image = Image(segments=((0x10000000, b"ab"), (0x10001200, b"cd")))
    pages = read_uf2(image.uf2(RP2040))
    assert pages[0x10000000][:2] == b"ab" and pages[0x10001200][:2] == b"cd"
    assert len(pages) == 32
    assert pages[0x10000000][2:] == b"\xff" * 254


def test_what_is_no_image_is_refused(tmp_path: Path) -> None:
    for name, content in (
        ("a.hex", b":00000001FF\n"),
        ("b.hex", b":0400000001020304FF\n:00000001FF\n"),
        ("c.hex", b"\xff\xfe\n"),
        ("d.elf", b"no program"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ToolError, match=name):
            read_image(tmp_path / name)
    with pytest.raises(ToolError, match="no.hex"):
        read_image(tmp_path / "no.hex")
    with pytest.raises(ToolError, match="spreads over"):
        Image(segments=((0, b"a"), (0x20000000, b"b"))).bin()


def test_uf2_blocks_are_little_endian() -> None:
    block = Image(segments=((0x10000000, b"x"),)).uf2()[:512]
    head = struct.unpack_from("<8I", block)
    assert head == (0x0A324655, 0x9E5D5157, 0x2000, 0x10000000, 256, 0, 16, 0xE48BFF56)
