"""The characters of symbol fonts, which a file names by their place in the font."""

from __future__ import annotations

_WINGDINGS = {
    0xFE: "☑", 0xFC: "✓", 0xFB: "✗", 0xFD: "☒", 0xA8: "☐", 0x6F: "☐", 0x71: "☐", 0x78: "☒", 0xE0: "→", 0xDF: "←",
    0xE1: "↑", 0xE2: "↓", 0xE8: "→", 0x4A: "☺", 0x28: "☎", 0x2A: "✉", 0xAB: "★", 0x6C: "●", 0x6E: "■", 0xA7: "▪",
    0x9F: "•", 0xD8: "➢", 0x76: "❖",
}  # fmt: skip
_SYMBOL = dict(zip(map(ord, "abgdezhqiklmnxoprstufcyw"), "αβγδεζηθικλμνξοπρστυφχψω", strict=True)) | {
    0x44: "Δ", 0x46: "Φ", 0x47: "Γ", 0x4C: "Λ", 0x50: "Π", 0x51: "Θ", 0x53: "Σ", 0x57: "Ω", 0xA3: "≤", 0xB3: "≥",
    0xB1: "±", 0xB4: "×", 0xB8: "÷", 0xB0: "°", 0xB9: "≠", 0xBB: "≈", 0xA5: "∞", 0xD6: "√", 0xAC: "←", 0xAE: "→",
    0xDB: "⇔", 0xDE: "⇒", 0xB7: "•", 0xCE: "∈", 0x2D: "−", 0xD7: "⋅", 0xB2: "″", 0xA2: "′",
}  # fmt: skip


def symbol(font: str, code: int) -> str:
    """Return the character at `code` of a symbol font, "" for one that is not known; fonts may add 0xF000 to it."""
    table = _SYMBOL if font.casefold().startswith("symbol") else _WINGDINGS
    return table.get(code & 0xFF, "•" if code & 0xFF == 0xB7 else "")


def is_symbol_font(font: str) -> bool:
    """Tell a font whose letters print as symbols."""
    return font.casefold().startswith(("wingdings", "symbol")) and "ui" not in font.casefold()
