"""TeX marks turned into the characters that are printed: accents, spaces, quotes, symbols, simple formulas.

Knows pieces of text, not documents; a command that it does not know loses its backslash's work and keeps its argument.
"""

from __future__ import annotations

import re
import unicodedata

_ACCENTS = {
    "`": "\u0300", "'": "\u0301", "^": "\u0302", '"': "\u0308", "~": "\u0303", "=": "\u0304", ".": "\u0307",
    "u": "\u0306", "v": "\u030c", "H": "\u030b", "c": "\u0327", "k": "\u0328", "r": "\u030a", "d": "\u0323",
}  # fmt: skip
_SYMBOLS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ",
    "sigma": "σ", "tau": "τ", "phi": "φ", "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ",
    "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
    "times": "×", "cdot": "·", "pm": "±", "mp": "∓", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "neq": "≠",
    "ne": "≠", "approx": "≈", "sim": "∼", "equiv": "≡", "to": "→", "rightarrow": "→", "leftarrow": "←", "infty": "∞",
    "sum": "∑", "int": "∫", "prod": "∏", "partial": "∂", "nabla": "∇", "sqrt": "√", "in": "∈", "notin": "∉",
    "subset": "⊂", "cup": "∪", "cap": "∩", "forall": "∀", "exists": "∃", "degree": "°", "circ": "°", "percent": "%",
    "ldots": "…", "dots": "…", "cdots": "…", "textbackslash": "\\", "textasciitilde": "~", "S": "§", "P": "¶",
    "copyright": "©", "texttrademark": "™", "textregistered": "®", "euro": "€", "texteuro": "€", "pounds": "£",
    "ss": "ß", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "o": "ø", "O": "Ø", "aa": "å", "AA": "Å", "l": "ł", "L": "Ł",
    "i": "i", "j": "j", "LaTeX": "LaTeX", "TeX": "TeX", "LaTeXe": "LaTeX2e", "BibTeX": "BibTeX", "celsius": "°C",
    "quad": " ", "qquad": " ", "textendash": "–", "textemdash": "—", "newline": "\n", "par": "\n", "slash": "/",
}  # fmt: skip
_DROPPED = frozenset(
    (
        *(
            "label",
            "cite",
            "citep",
            "citet",
            "parencite",
            "textcite",
            "autocite",
            "nocite",
            "index",
            "vspace",
            "hspace",
        ),
        *("includegraphics", "bibliography", "bibliographystyle", "usepackage", "setlength", "pagestyle", "input"),
        *("thispagestyle", "vskip", "hskip", "phantomsection", "addcontentsline", "setcounter", "include", "fontsize"),
        *("markboth", "markright", "pagenumbering", "numberwithin", "newcommand", "renewcommand", "hypersetup"),
    )
)
"""Commands whose argument is not printed, or not in words."""
_REFERENCES = frozenset(("ref", "eqref", "autoref", "cref", "Cref", "pageref", "nameref", "vref"))
_ARGUMENT = r"\s*\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}"
_SILENT = re.compile(rf"\\(?:{'|'.join(sorted(_DROPPED))})(?![A-Za-z])\*?(?:\[[^\[\]]*\])*(?:{_ARGUMENT})*")
_COMMAND = re.compile(rf"\\([A-Za-z]+)\*?(?:\[[^\[\]]*\])*(?:{_ARGUMENT})?")
_ACCENT = re.compile(r"\\([`'^\"~=.]|[uvHckrd](?![A-Za-z]))\s*(?:\{\\?([A-Za-z])\}|\\?([A-Za-z]))")
_FRACTION = re.compile(rf"\\[dt]?frac{_ARGUMENT}{_ARGUMENT}")
_UNIT = re.compile(rf"\\(?:SI|qty)(?:\[[^\[\]]*\])?{_ARGUMENT}{_ARGUMENT}")
_LINK = re.compile(rf"\\href{_ARGUMENT}{_ARGUMENT}")
_FOOTNOTE = re.compile(rf"\s*\\footnote{_ARGUMENT}")
_URL = re.compile(r"\\(?:url|href|path|nolinkurl)\{[^{}\n]{0,2000}\}")
_LETTER = re.compile(r"\\(ss|ae|AE|oe|OE|o|O|aa|AA|l|L|i|j)(?:[ \t]+(?=\w)|\{\}|(?![A-Za-z]))")
_DEEPEST = 6


def readable(text: str) -> str:
    """Return what `text` prints, line ends kept. Takes linear time a level of nesting, and six levels at most."""
    text = _URL.sub(lambda link: link[0].replace("%", "\ue000"), text)
    text = re.sub(r"(?<!\\)%[^\n]*\n?[ \t]*", "", text)
    text = re.sub(r"\\verb\*?([^\w\s*{])(.{0,300}?)\1", r"\2", text)
    text = text.replace("\\\\", "\n" if "\n" not in text else " ").replace("\\%", "\ue000").replace("\\$", "\ue001")
    text = re.sub(r"\\([#&_{}])", lambda mark: chr(0xE010 + "#&_{}".index(mark[1])), text)
    text = re.sub(r"\\[,;:> ]|~|\\!", lambda space: "" if space[0] == "\\!" else " ", text)
    text = re.sub(r"\\[()\[\]]|\$\$?", "", text)
    text = _ACCENT.sub(_accented, _SILENT.sub("", text))
    text = _LETTER.sub(lambda letter: _SYMBOLS[letter[1]], text)
    text = _LINK.sub(r"\2", _UNIT.sub(_quantity, text))
    for _ in range(_DEEPEST):
        before = text
        text = _FOOTNOTE.sub(r" (\1)", _FRACTION.sub(r"(\1)/(\2)", text))
        text = _COMMAND.sub(_printed, text)
        if text == before:
            break
    text = re.sub(r"([\^_])\{([^{}]*)\}", lambda raised: raised[1] + raised[2], text)
    text = re.sub(r"\(([\w.]{1,12})\)/\(([\w.]{1,12})\)", r"\1/\2", text)
    text = text.replace("``", "“").replace("''", "”").replace("---", "—").replace("--", "–")
    text = re.sub(r"[{}]", "", text)
    text = text.replace("\ue000", "%").replace("\ue001", "$")
    text = re.sub("[\ue010-\ue014]", lambda mark: "#&_{}"[ord(mark[0]) - 0xE010], text)
    text = re.sub(r"\((?:see )?\s*\)", "", text)
    return re.sub(r"[ \t]+([.,;:)])", r"\1", re.sub(r"\(\s+", "(", re.sub(r"[ \t]{2,}", " ", text))).strip()


def _quantity(found: re.Match[str]) -> str:
    return f"{found[1]} {' '.join(found[2].replace(chr(92), ' ').split())}"


def _accented(found: re.Match[str]) -> str:
    return unicodedata.normalize("NFC", (found[2] or found[3]) + _ACCENTS[found[1]])


def _printed(found: re.Match[str]) -> str:
    name, argument = found[1], found[2]
    if name in _REFERENCES:
        return (argument or "").rpartition(":")[2]
    if name in _SYMBOLS:
        return _SYMBOLS[name] + (f"({argument})" if name == "sqrt" and argument else argument or "")
    if argument is None:
        return found[0][len(name) + 1 :] if name not in ("left", "right", "big", "Big") else ""
    return argument
