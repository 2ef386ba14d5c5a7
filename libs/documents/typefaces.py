"""The typeface of all papers: Noto Sans SC (SIL Open Font License 1.1), cut down to what a page needs.

The font files are a dependency (``justmytype-intl-cjk``, each with its OFL.txt). That for mainland China
has 30,890 characters, among them all of GB 2312, of the CJK block and of Extension A; what it lacks is
taken from those for Taiwan, Japan and Korea, together some 2,100 more of Extension B. A paper embeds only
the glyphs it shows; a character no font has is found before anything is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from fontTools.ttLib import TTFont

EM = 1000
"""Units of the em square, whatever those of the font file."""

REGULAR, BOLD = 400, 700
_ASCENT, _DESCENT = 880, -120
# A cubic outline may differ from its quadratic one by this much of the em: not to be seen in print.
_TOLERANCE = 1.0
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
        self._drawn: dict[str, tuple[Any, int]] = {}
        # fontTools reads its tables when they are asked for, and does not expect two threads to ask.
        self._lock = RLock()

    def missing(self, text: str) -> list[str]:
        """Characters of ``text`` that no font has, in their order, each once."""
        with self._lock:
            return [character for character in dict.fromkeys(text) if self._font_of(character) is None]

    def subset(self, text: str, name: str) -> bytes:
        """A TrueType font ``name`` with the characters of ``text``. Raises MissingCharacters."""
        missing = self.missing(text)
        if missing:
            raise MissingCharacters(missing)
        characters = sorted({*text, " "})
        with self._lock:
            drawn = {f"u{ord(character):05X}": self._glyph(character) for character in characters}
        glyphs = {_NOTDEF: TTGlyphPen(None).glyph(), **{key: glyph for key, (glyph, _) in drawn.items()}}
        advances = {_NOTDEF: EM, **{key: advance for key, (_, advance) in drawn.items()}}
        codes = {ord(character): f"u{ord(character):05X}" for character in characters}
        return _font_file(name, glyphs, advances, codes)

    def draw(self, character: str, pen: Any) -> None:
        """Draw a character's outline on a pen of fontTools, in an em of 1000. Raises MissingCharacters."""
        with self._lock:
            self._require_font(character).draw(character, pen)

    def advance(self, character: str) -> int:
        """How far a character moves on, in thousandths of the em. Raises MissingCharacters."""
        with self._lock:
            return self._glyph(character)[1]

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

    def _glyph(self, character: str) -> tuple[Any, int]:
        if character not in self._drawn:
            font, pen = self._require_font(character), TTGlyphPen(None)
            font.draw(character, Cu2QuPen(pen, _TOLERANCE))
            self._drawn[character] = pen.glyph(), font.advance(character)
        return self._drawn[character]


class _FontFile:
    """One font file at one weight."""

    def __init__(self, path: Path, weight: int) -> None:
        font = TTFont(path, lazy=True)
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
def typeface(weight: int = REGULAR, extra_files: tuple[Path, ...] = ()) -> Typeface:
    """The papers' typeface; ``extra_files`` are asked for what it lacks. One per process and weight."""
    return Typeface((*noto_files(), *extra_files), weight)


def noto_files() -> tuple[Path, ...]:
    """Where the fonts came to lie with the installation, that for mainland China first."""
    folder = Path(str(files("justmytype_intl_cjk") / "fonts" / "ofl"))
    return tuple(folder / f"notosans{area.lower()}" / f"NotoSans{area}[wght].ttf" for area in _AREAS)


def _font_file(name: str, glyphs: dict[str, Any], advances: dict[str, int], codes: dict[int, str]) -> bytes:
    builder = FontBuilder(EM, isTTF=True)
    builder.font.recalcTimestamp = False
    builder.updateHead(created=0, modified=0)  # the same characters make the same file, whenever
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap(codes)
    builder.setupGlyf(glyphs)
    sidebearings = {key: getattr(glyph, "xMin", 0) for key, glyph in glyphs.items()}
    builder.setupHorizontalMetrics({key: (advances[key], sidebearings[key]) for key in glyphs})
    builder.setupHorizontalHeader(ascent=_ASCENT, descent=_DESCENT)
    builder.setupNameTable({"familyName": name, "styleName": "Regular", "psName": name})
    builder.setupOS2(sTypoAscender=_ASCENT, sTypoDescender=_DESCENT, usWinAscent=_ASCENT, usWinDescent=120)
    builder.setupPost()
    file = BytesIO()
    builder.save(file)
    return file.getvalue()
