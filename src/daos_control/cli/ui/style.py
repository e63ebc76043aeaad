"""What stands out on a terminal, and how."""

from enum import Enum
from typing import Final

END: Final = "\x1b[0m"


class Style(Enum):
    """How something looks; the value is what turns the terminal to it."""

    TITLE = "\x1b[1m"
    QUIET = "\x1b[2m"
    GOOD = "\x1b[32m"
    CARE = "\x1b[33m"
    BAD = "\x1b[31m"

    def on(self, text: str) -> str:
        """Put the style on a text."""
        return f"{self.value}{text}{END}" if text else text
