"""The round red seal of an agency (公章) as PDF drawing: ring, star, name along the arc, a line below.

Form and size follow 国发〔1999〕25号 (the State Council on the seals of agencies): round, a five-pointed star
in the middle, the name around it from left to right; 42 mm, within the 4.5 cm it allows.
Characters are drawn as outlines: the seal adds no words to the paper's text.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

from fontTools.pens.basePen import BasePen
from fontTools.pens.transformPen import TransformPen

from libs.documents.typefaces import BOLD, EM, Typeface, typeface

DIAMETER = 119.0
"""Points: 42 mm."""

LEGEND = "电子专用章"
_RED = "0.86 0.08 0.08"
_RING = 3.4
_CENTRE = DIAMETER / 2
_STAR = 15.5
# The name's characters stand on this circle, their feet towards the centre.
_BASELINE = 39.0
_ARC_DEGREES = 250.0
_LARGEST, _SMALLEST = 13.5, 5.0
_LEGEND_SIZE = 8.5


@cache
def emblem(name: str, extra_fonts: tuple[Path, ...] = ()) -> bytes:
    """Operators of a content stream that draw the seal of ``name`` in a square of ``DIAMETER``.

    Raises MissingCharacters.
    """
    face = typeface(BOLD, extra_fonts)
    drawing = ["q", f"{_RED} RG {_RED} rg", f"{_RING} w", _circle(_CENTRE - _RING / 2 - 0.5), "S", _star()]
    drawing += [*_name(face, name), *_legend(face), "Q"]
    return "\n".join(drawing).encode("ascii")


def _name(face: Typeface, name: str) -> list[str]:
    """Long names are set smaller and, at last, narrower: they never meet at the foot of the ring."""
    step = math.radians(_ARC_DEGREES) / max(len(name), 8)
    room = step * _BASELINE
    size = max(_SMALLEST, min(_LARGEST, room * 0.92))
    width = min(1.0, room * 0.97 / size)
    found = []
    for place, character in enumerate(name):
        angle = math.pi / 2 + step * ((len(name) - 1) / 2 - place)
        turn = angle - math.pi / 2
        scale_x, scale_y = size * width / EM, size / EM
        half = face.advance(character) * scale_x / 2
        x = _CENTRE + _BASELINE * math.cos(angle) - half * math.cos(turn)
        y = _CENTRE + _BASELINE * math.sin(angle) - half * math.sin(turn)
        matrix = (
            scale_x * math.cos(turn), scale_x * math.sin(turn),
            -scale_y * math.sin(turn), scale_y * math.cos(turn), x, y,
        )  # fmt: skip
        found.append(_outline(face, character, matrix))
    return found


def _legend(face: Typeface) -> list[str]:
    scale = _LEGEND_SIZE / EM
    width = sum(face.advance(character) for character in LEGEND) * scale
    x, y, found = _CENTRE - width / 2, _CENTRE - 32.0, []
    for character in LEGEND:
        found.append(_outline(face, character, (scale, 0, 0, scale, x, y)))
        x += face.advance(character) * scale
    return found


def _outline(face: Typeface, character: str, matrix: tuple[float, ...]) -> str:
    pen = _OperatorPen()
    face.draw(character, TransformPen(pen, matrix))
    return "\n".join([*pen.operators, "f"]) if pen.operators else ""


def _circle(radius: float) -> str:
    """Four Bézier curves; 0.5523 makes them round to 0.03 %."""
    c, r, k = _CENTRE, radius, radius * 0.5523
    return (
        f"{c + r:.2f} {c:.2f} m "
        f"{c + r:.2f} {c + k:.2f} {c + k:.2f} {c + r:.2f} {c:.2f} {c + r:.2f} c "
        f"{c - k:.2f} {c + r:.2f} {c - r:.2f} {c + k:.2f} {c - r:.2f} {c:.2f} c "
        f"{c - r:.2f} {c - k:.2f} {c - k:.2f} {c - r:.2f} {c:.2f} {c - r:.2f} c "
        f"{c + k:.2f} {c - r:.2f} {c + r:.2f} {c - k:.2f} {c + r:.2f} {c:.2f} c h"
    )


def _star() -> str:
    inner = _STAR * math.sin(math.radians(18)) / math.sin(math.radians(54))
    points = []
    for corner in range(10):
        angle, radius = math.radians(90 + 36 * corner), inner if corner % 2 else _STAR
        points.append(f"{_CENTRE + radius * math.cos(angle):.2f} {_CENTRE + radius * math.sin(angle):.2f}")
    return f"{points[0]} m " + " ".join(f"{point} l" for point in points[1:]) + " h f"


class _OperatorPen(BasePen):  # type: ignore[misc]
    """Writes outlines as operators of a content stream; quadratic curves become cubic ones."""

    def __init__(self) -> None:
        super().__init__(None)
        self.operators: list[str] = []

    def _moveTo(self, pt: tuple[float, float]) -> None:
        self.operators.append(f"{_at(pt)} m")

    def _lineTo(self, pt: tuple[float, float]) -> None:
        self.operators.append(f"{_at(pt)} l")

    def _curveToOne(
        self, pt1: tuple[float, float], pt2: tuple[float, float], pt3: tuple[float, float]
    ) -> None:
        self.operators.append(f"{_at(pt1)} {_at(pt2)} {_at(pt3)} c")

    def _closePath(self) -> None:
        self.operators.append("h")


def _at(point: tuple[float, float]) -> str:
    return f"{point[0]:.2f} {point[1]:.2f}"
