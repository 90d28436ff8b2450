"""What a linked program says about itself: sections, symbols, its image in flash."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rnnedge.errors import ToolError

_HEADER = struct.Struct("<16s2H5I6H")
_SECTION = struct.Struct("<10I")
_SEGMENT = struct.Struct("<8I")
_SYMBOL = struct.Struct("<3I2BH")
_PT_LOAD, _SHT_SYMTAB, _SHT_NOBITS = 1, 2, 8
_SHF_WRITE, _SHF_ALLOC, _SHF_EXECINSTR = 1, 2, 4
_STT_NOTYPE, _STT_OBJECT, _STT_FUNC = 0, 1, 2
_ARM, _AVR = 40, 83
_AVR_RAM = 0x800000  # added to the addresses of an AVR's RAM, which has an address space of its own


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
        return _read(path.read_bytes())
    except (OSError, ValueError, IndexError, struct.error) as error:
        raise ToolError(f"{path}: not readable as a 32-bit ELF program ({error})") from None


def _read(data: bytes) -> Elf:
    head = _HEADER.unpack_from(data)
    if head[0][:6] != b"\x7fELF\x01\x01":
        raise ValueError("another format")
    machine, ph_offset, sh_offset = head[2], head[5], head[6]
    ph_count, sh_count, names_index = head[10], head[12], head[13]
    headers = [_SECTION.unpack_from(data, sh_offset + i * _SECTION.size) for i in range(sh_count)]
    names = headers[names_index][4]
    taking = [row for row in headers if row[2] & _SHF_ALLOC]

    def in_ram(row: tuple[int, ...]) -> bool:
        return row[3] >= _AVR_RAM if machine == _AVR else bool(row[2] & _SHF_WRITE)

    segments = [_SEGMENT.unpack_from(data, ph_offset + i * _SEGMENT.size) for i in range(ph_count)]
    return Elf(
        sections={_text(data, names + row[0]): row[5] for row in taking},
        symbols=_symbols(data, headers, thumb=machine == _ARM),
        segments=tuple(
            (row[3], data[row[1] : row[1] + row[4]])
            for row in segments
            if row[0] == _PT_LOAD and row[4]
        ),
        flash_bytes=sum(row[5] for row in taking if row[1] != _SHT_NOBITS),
        ram_bytes=sum(row[5] for row in taking if in_ram(row)),
    )


def _symbols(data: bytes, headers: list[tuple[int, ...]], *, thumb: bool) -> dict[str, Symbol]:
    table = next(row for row in headers if row[1] == _SHT_SYMTAB)
    names = headers[table[6]][4]
    symbols = {}
    for offset in range(table[4], table[4] + table[5], _SYMBOL.size):
        name, address, size, info, _, section = _SYMBOL.unpack_from(data, offset)
        text, kind = _text(data, names + name), info & 15
        # $t, $d, .L: marks of the assembler
        if kind > _STT_FUNC or not text or text[0] in "$." or not 0 < section < len(headers):
            continue
        code = kind != _STT_OBJECT and bool(headers[section][2] & _SHF_EXECINSTR)
        if thumb and code:
            address &= ~1
        symbols[text] = Symbol(address=address, size=size, code=code)
    return symbols


def _text(data: bytes, offset: int) -> str:
    return data[offset : data.index(b"\0", offset)].decode("ascii", "replace")
