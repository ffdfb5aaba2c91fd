"""Plots as SVG: bars of measured things beside each other, and lines over a rate."""

import math
from dataclasses import dataclass
from html import escape
from typing import Sequence

WIDTH, HEIGHT = 760, 340
LEFT, RIGHT, TOP, BOTTOM = 80, 30, 66, 56
COLOURS = ("#2f6fde", "#9aa3ad", "#d9822b")
INK, GRID = "#1f2933", "#e1e5ea"


@dataclass(frozen=True)
class Bar:
    series: str
    value: float
    # The smallest and the largest run.
    low: float
    high: float


@dataclass(frozen=True)
class Line:
    series: str
    points: Sequence[tuple[float, float]]


def bars(title: str, unit: str, groups: Sequence[tuple[str, Sequence[Bar]]], mark: float | None = None) -> str:
    """A group of bars for each label, with the range of the runs; `mark` draws a line at a value."""
    top = ceiling(max(bar.high for _, group in groups for bar in group))
    series = list(dict.fromkeys(bar.series for _, group in groups for bar in group))

    def height_of(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(value, top) / top

    parts = frame(title, unit, series) + level_lines([top * step / 4 for step in range(5)], height_of)
    span = (WIDTH - LEFT - RIGHT) / len(groups)
    for number, (label, group) in enumerate(groups):
        width = min(56.0, span * 0.7 / len(group))
        begin = LEFT + span * (number + 0.5) - width * len(group) / 2
        for index, bar in enumerate(group):
            x, y = begin + width * index, height_of(bar.value)
            colour = COLOURS[series.index(bar.series)]
            parts.append(rectangle(x + 2, y, width - 4, HEIGHT - BOTTOM - y, colour))
            middle = x + width / 2
            parts.append(stroke(middle, height_of(bar.low), middle, height_of(bar.high), INK))
            parts.append(text(middle, height_of(bar.high) - 5, plain(bar.value), "middle", 11))
        parts.append(text(LEFT + span * (number + 0.5), HEIGHT - BOTTOM + 18, label, "middle"))
    if mark is not None:
        parts.append(stroke(LEFT, height_of(mark), WIDTH - RIGHT, height_of(mark), INK, "4 3"))
    return document(title, parts)


def lines(title: str, across: str, up: str, drawn: Sequence[Line], limit: float) -> str:
    """Lines over linear values across, with a logarithmic scale up; a dashed line at the limit."""
    right = ceiling(max(x for line in drawn for x, _ in line.points))
    values = [y for line in drawn for _, y in line.points if y > 0] + [limit]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))

    def place(x: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * x / right

    def height_of(y: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (math.log10(max(y, 10**low)) - low) / (high - low)

    parts = frame(title, up, [line.series for line in drawn])
    parts += level_lines([10.0**power for power in range(low, high + 1)], height_of)
    for step in range(5):
        x = right * step / 4
        parts.append(text(place(x), HEIGHT - BOTTOM + 18, f"{x:,.0f}", "middle"))
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, across, "middle"))
    parts.append(stroke(LEFT, height_of(limit), WIDTH - RIGHT, height_of(limit), INK, "4 3"))
    for line, colour in zip(drawn, COLOURS):
        places = " ".join(f"{place(x):.1f},{height_of(y):.1f}" for x, y in sorted(line.points))
        parts.append(f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        parts += [f'<circle cx="{place(x):.1f}" cy="{height_of(y):.1f}" r="3.5" fill="{colour}"/>' for x, y in line.points]
    return document(title, parts)


def ceiling(value: float) -> float:
    """The next value with one digit that divides well."""
    power = 10 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10) if step * power >= value)


def plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def frame(title: str, unit: str, series: Sequence[str]) -> list[str]:
    parts = [text(LEFT, 24, title, size=15, weight="600"), text(LEFT, 44, unit)]
    x = WIDTH - RIGHT
    for name, colour in reversed(list(zip(series, COLOURS))):
        x -= 7 * len(name) + 26
        parts += [rectangle(x, 35, 11, 11, colour), text(x + 16, 44, name)]
    return parts


def level_lines(values: Sequence[float], height_of) -> list[str]:
    return [
        part
        for value in values
        for part in (
            stroke(LEFT, height_of(value), WIDTH - RIGHT, height_of(value), GRID),
            text(LEFT - 8, height_of(value) + 4, f"{value:,.10g}", "end"),
        )
    ]


def rectangle(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{max(height, 0):.1f}" fill="{colour}"/>'


def stroke(x: float, y: float, to_x: float, to_y: float, colour: str, dashes: str = "") -> str:
    style = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{colour}"{style}/>'


def text(x: float, y: float, content: str, anchor: str = "start", size: int = 12, weight: str = "400") -> str:
    style = f'text-anchor="{anchor}" font-size="{size}" font-weight="{weight}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style} fill="{INK}">{escape(content)}</text>'


def document(title: str, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
        f'font-family="system-ui, sans-serif">\n<title>{escape(title)}</title>\n<rect width="100%" height="100%" fill="#ffffff"/>'
    )
    return "\n".join([head, *parts, "</svg>"]) + "\n"
