"""Boards: what they are, how their firmware is built, flashed and emulated.

Every board is a folder of firmware/boards with a board.toml; nothing else names it.
"""

from rnnedge.boards.board import BOARDS, Board, Emulator, FlashTool, Memory, find_board

__all__ = ["BOARDS", "Board", "Emulator", "FlashTool", "Memory", "find_board"]
