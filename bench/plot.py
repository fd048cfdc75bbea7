"""plot: a page of plots as SVG, by the standard library alone. Pure: numbers in, text out.

A panel has groups along its bottom, and in each group a bar or a dot for every series. Whiskers go
from the least to the greatest value. Bars that are far higher than the rest are cut, and their
value is written on top: else they would make all others look the same.
"""
import math
from typing import NamedTuple
from xml.sax.saxutils import escape

FONT = "font-family='system-ui,DejaVu Sans,sans-serif'"
INK, FAINT, GRID = "#212529", "#6c757d", "#e3e6ea"
MARGIN_LEFT, MARGIN_TOP, MARGIN_BOTTOM = 46, 46, 46
TICKS_WANTED = 5
GROUP_FILL = 0.84  # of a group's width, what its bars take at most
BAR_WIDTH_MAX = 44


class Panel(NamedTuple):
    title: str
    unit: str
    groups: list  # of (label, {series: figures.Spread})
    box: tuple  # x, y, width, height
    marks: dict = {}  # label -> the value to be reached
    top: float = 0.0  # the highest value shown; 0: that of the highest bar
    is_dots: bool = False  # on a logarithmic axis


class Area(NamedTuple):
    """Where a panel's values are drawn."""
    left: float
    top: float
    width: float
    height: float

    @property
    def bottom(self):
        return self.top + self.height


def area_of(panel):
    x, y, width, height = panel.box
    return Area(x + MARGIN_LEFT, y + MARGIN_TOP, width - MARGIN_LEFT,
                height - MARGIN_TOP - MARGIN_BOTTOM)


def text(x, y, words, size=11, anchor="start", fill=INK, more=""):
    return (f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' text-anchor='{anchor}' "
            f"fill='{fill}'{more}>{escape(words)}</text>")


def line(x1, y1, x2, y2, stroke, width=1.0, more=""):
    return (f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{stroke}' "
            f"stroke-width='{width}'{more}/>")


def short(value):
    """For a label: two or three digits, as few as say it."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}" if value >= 10 else f"{value:.2g}"


# --- axes -----------------------------------------------------------------------------------------

def ticks(top):
    """Round numbers from 0 to at most top, about TICKS_WANTED of them."""
    if top <= 0:
        return [0.0]
    rough = top / TICKS_WANTED
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough)
    return [index * step for index in range(int(top / step + 1e-9) + 1)]


def powers(least, most):
    """The powers of ten around two positive values."""
    first, last = math.floor(math.log10(least)), math.ceil(math.log10(most))
    return [10.0**power for power in range(first, max(last, first + 1) + 1)]


def known_spreads(panel):
    return [each for _, bars in panel.groups for each in bars.values()
            if not math.isnan(each.median)]


def top_of(panel):
    highest = max([each.median for each in known_spreads(panel)], default=1.0)
    highest = max([highest, *panel.marks.values()])
    return min(highest, panel.top) * 1.08 if panel.top else highest * 1.08


class Scale(NamedTuple):
    """From a value to a height on the page."""
    area: Area
    least: float
    most: float
    is_log: bool
    ticks: list

    def y(self, value):
        if self.is_log:
            share = math.log(max(value, self.least) / self.least) / math.log(self.most / self.least)
        else:
            share = value / self.most
        return self.area.bottom - min(max(share, 0.0), 1.0) * self.area.height


def scale_of(panel):
    area = area_of(panel)
    if panel.is_dots:
        values = [each.median for each in known_spreads(panel) if each.median > 0] or [1.0]
        marks = powers(min(values), max(values))
        return Scale(area, marks[0], marks[-1], True, marks)
    top = top_of(panel)
    return Scale(area, 0.0, top, False, ticks(top))


def draw_frame(panel, scale):
    area = scale.area
    yield text(panel.box[0], panel.box[1] + 14, panel.title, 13, more=" font-weight='600'")
    yield text(area.left + area.width, panel.box[1] + 14, panel.unit, 10.5, "end", FAINT)
    for tick in scale.ticks:
        y = scale.y(tick)
        yield line(area.left, y, area.left + area.width, y, GRID)
        yield text(area.left - 6, y + 3.5, f"{tick:g}", 10, "end", FAINT)


# --- groups ---------------------------------------------------------------------------------------

def draw_bar(x, width, spread, scale, colour):
    top = scale.y(spread.median)
    yield (f"<rect x='{x:.1f}' y='{top:.1f}' width='{width:.1f}' "
           f"height='{max(0.5, scale.area.bottom - top):.1f}' fill='{colour}'/>")
    middle = x + width / 2
    if spread.median > scale.most:
        yield line(x - 1, top + 5, x + width + 1, top + 2, "#fff", 2)
        yield text(middle + 3, top - 2, short(spread.median), 8.5, "start", FAINT,
                   f" transform='rotate(-60 {middle:.1f} {top - 2:.1f})'")
    elif spread.least < spread.most:
        yield line(middle, scale.y(spread.least), middle, scale.y(spread.most), INK, 0.8,
                   " opacity='.55'")


def draw_dot(x, width, spread, scale, colour):
    middle = x + width / 2
    if spread.least < spread.most:
        yield line(middle, scale.y(spread.least), middle, scale.y(spread.most), colour, 1,
                   " opacity='.35'")
    yield (f"<circle cx='{middle:.1f}' cy='{scale.y(spread.median):.1f}' r='3.2' fill='{colour}' "
           "stroke='#fff' stroke-width='.6'/>")


def draw_label(panel, x, width, area, label):
    if width > 6.2 * len(label):
        return text(x + width / 2, area.bottom + 15, label, 10.5, "middle")
    return text(x + width / 2 + 4, area.bottom + 12, label, 9.5, "end",
                more=f" transform='rotate(-28 {x + width / 2 + 4:.1f} {area.bottom + 12:.1f})'")


def draw_group(panel, scale, x, width, label, colours):
    bars = panel.groups[[each for each, _ in panel.groups].index(label)][1]
    names = [name for name in colours if any(name in each for _, each in panel.groups)]
    each_width = min(width * GROUP_FILL / max(1, len(names)), BAR_WIDTH_MAX)
    left = x + (width - each_width * len(names)) / 2
    draw = draw_dot if panel.is_dots else draw_bar
    for index, name in enumerate(names):
        spread = bars.get(name)
        if spread is not None and not math.isnan(spread.median):
            yield from draw(left + index * each_width, each_width * 0.9, spread, scale,
                            colours[name])
    if label in panel.marks:
        y = scale.y(panel.marks[label])
        yield line(left - 3, y, left + each_width + 1, y, INK, 2)
    yield draw_label(panel, x, width, scale.area, label)


def draw_panel(panel, colours):
    scale = scale_of(panel)
    yield from draw_frame(panel, scale)
    width = scale.area.width / max(1, len(panel.groups))
    for index, (label, _) in enumerate(panel.groups):
        if panel.is_dots and index > 0:
            x = scale.area.left + index * width
            yield line(x, scale.area.top, x, scale.area.bottom, GRID)
        yield from draw_group(panel, scale, scale.area.left + index * width, width, label, colours)
    yield line(scale.area.left, scale.area.bottom, scale.area.left + scale.area.width,
               scale.area.bottom, FAINT)


# --- the page -------------------------------------------------------------------------------------

def draw_legend(x, y, colours, note):
    for name, colour in colours.items():
        yield f"<rect x='{x:.1f}' y='{y - 9:.1f}' width='11' height='11' fill='{colour}'/>"
        yield text(x + 16, y + 1, name, 12)
        x += 30 + 7.2 * len(name)
    yield text(x + 6, y + 1, note, 11, fill=FAINT)


def page(title, notes, panels, colours, legend_note, width):
    """The whole file. `colours`: {series: colour}, in the order of the bars."""
    bottom = max(panel.box[1] + panel.box[3] for panel in panels)
    height = bottom + 16 + 15 * len(notes)
    parts = [f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width:.0f} {height:.0f}' "
             f"width='{width:.0f}' height='{height:.0f}' {FONT}>",
             f"<rect width='{width:.0f}' height='{height:.0f}' fill='#fff'/>",
             text(24, 34, title, 20, more=" font-weight='700'"),
             *draw_legend(24, 62, colours, legend_note)]
    for panel in panels:
        parts += draw_panel(panel, colours)
    parts += [text(24, bottom + 16 + 15 * index, note, 10.5, fill=FAINT)
              for index, note in enumerate(notes)]
    return "\n".join([*parts, "</svg>", ""])
