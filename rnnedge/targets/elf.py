"""What a linked program says about itself: sections, symbols, its image in flash."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError, ELFParseError
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from rnnedge.errors import ToolError

_AVR_RAM = 0x800000  # added to the addresses of an AVR's RAM, which has an address space of its own
_KINDS = ("STT_NOTYPE", "STT_OBJECT", "STT_FUNC")
_NOWHERE = ("SHN_UNDEF", "SHN_ABS", "SHN_COMMON")


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """A name in the program.

    Attributes:
        address: without the bit that says Thumb.
        size: bytes, 0 if unknown.
        code: whether it lies in an executable section.
    """

    address: int
    size: int
    code: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Elf:
    """A linked 32-bit little-endian program.

    Attributes:
        sections: bytes of every section that takes memory on the device.
        symbols: functions, objects and labels.
        segments: load address and bytes of everything that lies in flash.
        flash_bytes: all code, constants and initial values.
        ram_bytes: all variables, without stack.
    """

    sections: Mapping[str, int]
    symbols: Mapping[str, Symbol]
    segments: tuple[tuple[int, bytes], ...]
    flash_bytes: int
    ram_bytes: int

    def function_at(self, address: int) -> str:
        """Return the name of the code at `address`."""
        before = [item for item in self.symbols.items() if item[1].code]
        name, symbol = max(
            (item for item in before if item[1].address <= address),
            key=lambda item: (item[1].address, item[1].size),
            default=("?", None),
        )
        known = symbol is not None and (not symbol.size or address < symbol.address + symbol.size)
        return name if known else "?"


def read_elf(path: Path) -> Elf:
    """Read a program.

    Raises:
        ToolError: not readable, or no such program.
    """
    try:
        with path.open("rb") as file:
            return _read(ELFFile(file))
    except (OSError, ELFError, ELFParseError, AttributeError, ValueError) as error:
        raise ToolError(f"{path}: not readable as a 32-bit ELF program ({error})") from None


def _read(elf: Any) -> Elf:
    if elf.elfclass != 32:
        raise ValueError("another format")
    machine = elf["e_machine"]
    taking = [
        section for section in elf.iter_sections() if section["sh_flags"] & SH_FLAGS.SHF_ALLOC
    ]

    def in_ram(section: Any) -> bool:
        if machine == "EM_AVR":
            return bool(section["sh_addr"] >= _AVR_RAM)
        return bool(section["sh_flags"] & SH_FLAGS.SHF_WRITE)

    return Elf(
        sections={section.name: section["sh_size"] for section in taking},
        symbols=_symbols(elf, thumb=machine == "EM_ARM"),
        segments=tuple(
            (segment["p_paddr"], segment.data())
            for segment in elf.iter_segments("PT_LOAD")
            if segment["p_filesz"]
        ),
        flash_bytes=sum(s["sh_size"] for s in taking if s["sh_type"] != "SHT_NOBITS"),
        ram_bytes=sum(section["sh_size"] for section in taking if in_ram(section)),
    )


def _symbols(elf: Any, *, thumb: bool) -> dict[str, Symbol]:
    symbols = {}
    for symbol in elf.get_section_by_name(".symtab").iter_symbols():
        kind, index = symbol["st_info"]["type"], symbol["st_shndx"]
        # $t, $d, .L: marks of the assembler
        if kind not in _KINDS or not symbol.name or symbol.name[0] in "$." or index in _NOWHERE:
            continue
        executable = elf.get_section(index)["sh_flags"] & SH_FLAGS.SHF_EXECINSTR
        code = kind != "STT_OBJECT" and bool(executable)
        address = symbol["st_value"] & ~1 if thumb and code else symbol["st_value"]
        symbols[symbol.name] = Symbol(address=address, size=symbol["st_size"], code=code)
    return symbols
