"""The typeface of all papers: Noto Sans SC (SIL Open Font License 1.1), cut down to what a page needs.

The font files are a dependency (``justmytype-intl-cjk``, each with its OFL.txt). That for mainland China
has 30,890 characters, among them all of GB 2312, of the CJK block and of Extension A; what it lacks is
taken from those for Taiwan, Japan and Korea, together some 2,100 more of Extension B. A paper embeds only
the glyphs it shows; a character no font has is found before anything is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from threading import RLock
from typing import Any

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, newTable
from fontTools.ttLib.tables._g_l_y_f import Glyph

EM = 1000
"""Units of the em square, whatever those of the font file."""

REGULAR, BOLD = 400, 700
_ASCENT, _DESCENT = 880, -120
# A cubic outline may differ from its quadratic one by this much of the em: not to be seen in print.
_TOLERANCE = 1.0
# fontTools reads its tables when they are asked for, and does not expect two threads to ask.
_ONE_AT_A_TIME = RLock()
_NOTDEF = ".notdef"
_AREAS = ("SC", "TC", "JP", "KR")


class MissingCharacters(Exception):
    """No font has these characters; nothing was drawn. ``characters`` are all of them, each once."""

    def __init__(self, characters: Sequence[str]) -> None:
        self.characters = tuple(characters)
        super().__init__("、".join(f"U+{ord(character):04X}" for character in characters))


class Typeface:
    """Glyphs of one weight, drawn from the first of the font files that has the character.

    Opened at first use (0.5 s for 18 MB); every glyph is taken from the file once (3 ms) and kept.
    """

    def __init__(self, font_files: Sequence[Path], weight: int) -> None:
        self._files = tuple(font_files)
        self._weight = weight
        self._opened: dict[Path, _FontFile] = {}
        self._drawn: dict[str, _Glyph] = {}

    def missing(self, text: str) -> list[str]:
        """Characters of ``text`` that no font has, in their order, each once."""
        with _ONE_AT_A_TIME:
            return [character for character in dict.fromkeys(text) if self._font_of(character) is None]

    def subset(self, text: str, name: str) -> bytes:
        """A TrueType font ``name`` with the characters of ``text``. Raises MissingCharacters."""
        missing = self.missing(text)
        if missing:
            raise MissingCharacters(missing)
        characters = sorted({*text, " "})
        with _ONE_AT_A_TIME:
            drawn = {ord(character): self._glyph(character) for character in characters}
        return _font_file(name, drawn)

    def draw(self, character: str, pen: Any) -> None:
        """Draw a character's outline on a pen of fontTools, in an em of 1000. Raises MissingCharacters."""
        with _ONE_AT_A_TIME:
            self._require_font(character).draw(character, pen)

    def advance(self, character: str) -> int:
        """How far a character moves on, in thousandths of the em. Raises MissingCharacters."""
        with _ONE_AT_A_TIME:
            return self._glyph(character).advance

    def _font_of(self, character: str) -> _FontFile | None:
        """The first font with the character; the later ones are not even opened for the usual ones."""
        for path in self._files:
            if path not in self._opened:
                self._opened[path] = _FontFile(path, self._weight)
            if ord(character) in self._opened[path].characters:
                return self._opened[path]
        return None

    def _require_font(self, character: str) -> _FontFile:
        font = self._font_of(character)
        if font is None:
            raise MissingCharacters([character])
        return font

    def _glyph(self, character: str) -> _Glyph:
        if character not in self._drawn:
            font, pen = self._require_font(character), TTGlyphPen(None)
            font.draw(character, Cu2QuPen(pen, _TOLERANCE))
            self._drawn[character] = _Glyph.of(pen.glyph(), font.advance(character))
        return self._drawn[character]


@dataclass(frozen=True)
class _Glyph:
    """A glyph ready to be written: compiled, because that takes longer than all the rest of a font."""

    data: bytes
    advance: int
    left: int = 0
    points: int = 0
    contours: int = 0

    @classmethod
    def of(cls, drawn: Any, advance: int) -> _Glyph:
        if drawn.numberOfContours == 0:
            return cls(b"", advance)
        data = drawn.compile(None)  # also works its bounds out
        points, contours = drawn.getMaxpValues()
        return cls(data, advance, drawn.xMin, points, contours)


class _FontFile:
    """One font file at one weight."""

    def __init__(self, path: Path, weight: int) -> None:
        font = _opened(path)
        self.characters: dict[int, str] = font.getBestCmap()
        self._scale: float = EM / font["head"].unitsPerEm
        location = {"wght": weight} if "fvar" in font else None
        self._glyphs = font.getGlyphSet(location=location)

    def draw(self, character: str, pen: Any) -> None:
        outline = DecomposingRecordingPen(self._glyphs)
        self._glyphs[self.characters[ord(character)]].draw(outline)
        outline.replay(TransformPen(pen, (self._scale, 0, 0, self._scale, 0, 0)))

    def advance(self, character: str) -> int:
        width: float = self._glyphs[self.characters[ord(character)]].width * self._scale
        return round(width)


@cache
def _opened(path: Path) -> TTFont:
    """A font file, read once for all weights."""
    return TTFont(path, lazy=True)


@cache
def typeface(weight: int = REGULAR, extra_files: tuple[Path, ...] = ()) -> Typeface:
    """The papers' typeface; ``extra_files`` are asked for what it lacks. One per process and weight."""
    return Typeface((*noto_files(), *extra_files), weight)


def noto_files() -> tuple[Path, ...]:
    """Where the fonts came to lie with the installation, that for mainland China first."""
    folder = Path(str(files("justmytype_intl_cjk") / "fonts" / "ofl"))
    return tuple(folder / f"notosans{area.lower()}" / f"NotoSans{area}[wght].ttf" for area in _AREAS)


def _font_file(name: str, drawn: dict[int, _Glyph]) -> bytes:
    """A TrueType font from characters' codes and their glyphs."""
    codes = {code: f"u{code:05X}" for code in drawn}
    glyphs = {_NOTDEF: _Glyph(b"", EM)} | {codes[code]: glyph for code, glyph in drawn.items()}
    builder = FontBuilder(EM, isTTF=True)
    builder.font.recalcTimestamp = builder.font.recalcBBoxes = False
    box = {"xMin": 0, "yMin": _DESCENT, "xMax": EM, "yMax": _ASCENT}
    builder.updateHead(created=0, modified=0, **box)  # the same characters make the same file, whenever
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap(codes)
    _write_outlines(builder.font, glyphs)
    builder.setupHorizontalMetrics({key: (glyph.advance, glyph.left) for key, glyph in glyphs.items()})
    builder.setupHorizontalHeader(ascent=_ASCENT, descent=_DESCENT)
    builder.setupNameTable({"familyName": name, "styleName": "Regular", "psName": name})
    builder.setupOS2(sTypoAscender=_ASCENT, sTypoDescender=_DESCENT, usWinAscent=_ASCENT, usWinDescent=120)
    builder.setupPost()
    file = BytesIO()
    builder.save(file)
    return file.getvalue()


def _write_outlines(font: TTFont, glyphs: dict[str, _Glyph]) -> None:
    """What ``FontBuilder.setupGlyf`` does, for glyphs that are compiled already."""
    font["loca"], font["glyf"] = newTable("loca"), newTable("glyf")
    font["glyf"].glyphs = {key: Glyph(glyph.data) for key, glyph in glyphs.items()}
    font["glyf"].glyphOrder = list(glyphs)
    font["maxp"].maxPoints = max(glyph.points for glyph in glyphs.values())
    font["maxp"].maxContours = max(glyph.contours for glyph in glyphs.values())
