"""Draws how time and memory grow with the number of things, as SVG that can be read on light and on dark pages."""

import html
import math
from typing import NamedTuple

WIDTH, HEIGHT = 950, 470
PANEL, TOP, BOTTOM = 370, 46, 330  # the width of a panel, and where it begins and ends
COLOURS = {"images": "#3b82f6", "files": "#1f9d55", "manifest": "#a855f7", "packages": "#d97706"}
DASHES = ["", "7 4", "2 4"]
MEMORY_GOAL = 150
STYLE = """.text { fill: #57606a; } .grid { stroke: #8c959f; stroke-opacity: .35; }
@media (prefers-color-scheme: dark) { .text { fill: #b1bac4; } .grid { stroke: #8b949e; } }"""


class Series(NamedTuple):
    name: str
    points: list[tuple[int, float, float]]  # things, seconds, megabytes


class Axis:
    """From values to places, logarithmic or not."""

    def __init__(self, low: float, high: float, start: float, end: float, logarithmic: bool) -> None:
        self.low, self.high, self.start, self.end, self.logarithmic = low, high, start, end, logarithmic

    def __call__(self, value: float) -> float:
        if self.logarithmic:
            share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        if self.logarithmic:
            return [10.0**power for power in range(math.ceil(math.log10(self.low)), int(math.log10(self.high)) + 1)]
        return [self.low + 50 * step for step in range(int((self.high - self.low) / 50) + 1)]


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def text(x: float, y: float, content: str, anchor: str = "middle", size: int = 12) -> str:
    return f'<text class="text" x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" font-size="{size}">{html.escape(content)}</text>'


def panel(title: str, x: Axis, y: Axis) -> list[str]:
    parts = [text((x.start + x.end) / 2, TOP - 18, title, size=14)]
    for tick in x.ticks():
        parts.append(f'<path class="grid" d="M{x(tick):.0f} {TOP}V{BOTTOM}"/>')
        parts.append(text(x(tick), BOTTOM + 18, number(tick)))
    for tick in y.ticks():
        parts.append(f'<path class="grid" d="M{x.start:.0f} {y(tick):.0f}H{x.end:.0f}"/>')
        parts.append(text(x.start - 8, y(tick) + 4, number(tick), "end"))
    return parts


def curve(series: Series, column: int, x: Axis, y: Axis, colour: str, dash: str) -> list[str]:
    places = [(x(point[0]), y(point[column])) for point in series.points]
    path = "L".join(f"{left:.1f} {top:.1f}" for left, top in places)
    dots = [f'<circle cx="{left:.1f}" cy="{top:.1f}" r="3" fill="{colour}"/>' for left, top in places]
    return [f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>', *dots]


def draw(all_series: list[Series]) -> str:
    """Two panels over the number of things: seconds, both logarithmic, where a slope of one is linear; and peak memory."""
    counts = [point[0] for series in all_series for point in series.points]
    seconds = [point[1] for series in all_series for point in series.points]
    memory = max(MEMORY_GOAL, *(point[2] for series in all_series for point in series.points))
    low, high = 10.0 ** math.floor(math.log10(min(counts))), 10.0 ** math.ceil(math.log10(max(counts)))
    left = Axis(low, high, 60, 60 + PANEL, True)
    right = Axis(low, high, 530, 530 + PANEL, True)
    fast, slow = 10.0 ** math.floor(math.log10(max(0.01, min(seconds)))), 10.0 ** math.ceil(math.log10(max(seconds)))
    time = Axis(fast, max(slow, 10 * fast), BOTTOM, TOP, True)
    peak = Axis(0, 50 * math.ceil((memory + 10) / 50), BOTTOM, TOP, False)
    parts = [*panel("seconds; parallel to the grey line is linear", left, time), *panel("peak memory, MB", right, peak)]
    # The line through the middle along which ten times as much takes ten times as long.
    span = min(math.log10(high / low), math.log10(time.high / time.low))
    ends = [(left(low * 10**power), time(time.low * 10**power)) for power in (0, span)]
    parts.append(
        f'<path d="M{ends[0][0]:.0f} {ends[0][1]:.0f}L{ends[1][0]:.0f} {ends[1][1]:.0f}"'
        ' stroke="#8c959f" stroke-width="6" stroke-opacity=".35"/>'
    )
    goal = peak(MEMORY_GOAL)
    parts.append(f'<path d="M{right.start:.0f} {goal:.0f}H{right.end:.0f}" stroke="#dc2626" stroke-dasharray="3 3"/>')
    parts.append(text(right.end, goal - 5, f"goal: {MEMORY_GOAL}", "end"))
    used: dict[str, int] = {}
    for place, series in enumerate(all_series):
        family = series.name.split(",")[0]
        colour = COLOURS.get(family, "#6b7280")
        dash = DASHES[used.setdefault(family, 0) % len(DASHES)]
        used[family] += 1
        parts += [*curve(series, 1, left, time, colour, dash), *curve(series, 2, right, peak, colour, dash)]
        x, y = 60 + 215 * (place % 4), BOTTOM + 62 + 22 * (place // 4)
        parts.append(f'<path d="M{x} {y - 4}h34" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>')
        parts.append(text(x + 42, y, series.name, "start"))
    parts.append(text((left.start + left.end) / 2, BOTTOM + 38, "images, files, entries, packages"))
    parts.append(text((right.start + right.end) / 2, BOTTOM + 38, "images, files, entries, packages"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' font-family="system-ui, sans-serif">\n<title>Time and peak memory by the number of things</title>\n'
        f"<style>{STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n"
    )
