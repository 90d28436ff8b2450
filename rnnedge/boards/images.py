"""Images of a program for flash tools: Intel HEX, plain binary, UF2."""

import io
import struct
from dataclasses import dataclass
from pathlib import Path

from intelhex import HexReaderError, IntelHex

from rnnedge.errors import ToolError
from rnnedge.targets.elf import read_elf

RP2040 = 0xE48BFF56
"""Family of the RP2040 in UF2 files."""

_ERASED = b"\xff"
_LARGEST = 16 << 20  # a gap in the addresses must not become a file of gigabytes
# Microsoft's UF2 specification: header, data, final magic number; 512 bytes
_UF2_BLOCK = struct.Struct("<8I476sI")
_UF2_START, _UF2_START_2, _UF2_END = 0x0A324655, 0x9E5D5157, 0x0AB16F30
_UF2_HAS_FAMILY = 0x2000
_UF2_PAYLOAD = 256
_SECTOR = 4096  # what the RP2040's boot ROM erases at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """The bytes of a program and where in flash they lie.

    Attributes:
        segments: address and bytes of each part, by address, none overlapping.
    """

    segments: tuple[tuple[int, bytes], ...]

    @property
    def start(self) -> int:
        """The first address."""
        return self.segments[0][0]

    @property
    def end(self) -> int:
        """The address behind the last byte."""
        return self.segments[-1][0] + len(self.segments[-1][1])

    def bin(self) -> bytes:
        """Return everything from the first to the last byte; gaps are as erased flash.

        Raises:
            ToolError: the parts lie too far apart.
        """
        if self.end - self.start > _LARGEST:
            raise ToolError(
                f"the program spreads over {self.end - self.start:,} bytes of addresses; "
                "it does not lie in flash alone"
            )
        flash = bytearray(_ERASED * (self.end - self.start))
        for address, data in self.segments:
            flash[address - self.start : address - self.start + len(data)] = data
        return bytes(flash)

    def hex(self) -> bytes:
        """Return the image as Intel HEX."""
        image = IntelHex()
        for address, data in self.segments:
            image.frombytes(data, offset=address)
        text = io.StringIO()
        image.write_hex_file(text)
        return text.getvalue().encode()

    def uf2(self, family: int = RP2040) -> bytes:
        """Return the image as UF2, in whole sectors, as the boot ROM of an RP2040 takes it.

        The boot ROM takes blocks of 256 bytes at multiples of 256. It erases a sector of 4096 when
        the first block of it arrives; a sector that is given in part may be written wrongly
        (RP2040 datasheet, erratum E14), so none is.
        """
        start = self.start // _SECTOR * _SECTOR
        data = _ERASED * (self.start - start) + self.bin()
        data += _ERASED * (-len(data) % _SECTOR)
        count = len(data) // _UF2_PAYLOAD
        return b"".join(
            _UF2_BLOCK.pack(
                *(_UF2_START, _UF2_START_2, _UF2_HAS_FAMILY),
                *(start + number * _UF2_PAYLOAD, _UF2_PAYLOAD, number, count, family),
                data[number * _UF2_PAYLOAD : (number + 1) * _UF2_PAYLOAD],
                _UF2_END,
            )
            for number in range(count)
        )


def read_image(program: Path) -> Image:
    """Return the image of a linked program (ELF) or of an Intel HEX file.

    Raises:
        ToolError: not readable, no such file, or nothing in it.
    """
    if program.suffix.lower() == ".hex":
        segments = _read_hex(program)
    else:
        segments = sorted(read_elf(program).segments)
    if not segments:
        raise ToolError(f"{program}: has no bytes for the flash")
    return Image(segments=tuple(segments))


def _read_hex(path: Path) -> list[tuple[int, bytes]]:
    try:
        text = path.read_text(encoding="ascii")
        image = IntelHex(io.StringIO(text))
    except (OSError, UnicodeDecodeError, HexReaderError) as error:
        raise ToolError(f"{path}: not readable as Intel HEX ({error})") from None
    return [(begin, image.tobinstr(begin, end - 1)) for begin, end in image.segments()]
