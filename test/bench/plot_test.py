"""The page of plots: well-formed, everything within its panel, heights in proportion."""
import math
import re
import sys
import unittest
import xml.etree.ElementTree as ElementTree

from bench_path import FakeCell, FakeRun, fake_runs
import plot
import plots
import tap
from figures import Spread

COLOURS = {"gyre": "#111111", "nginx": "#222222"}
BOX = (10, 20, 400, 200)


def one(value):
    return Spread(value, value, value)


def drawn(panel):
    page = plot.page("title", ["a note"], [panel], COLOURS, "", 500)
    return ElementTree.fromstring(page)


def elements(root, name, **wanted):
    return [each for each in root.iter(f"{{http://www.w3.org/2000/svg}}{name}")
            if all(each.get(key) == value for key, value in wanted.items())]


def heights(panel, colour):
    """Of the bars of one series; the swatch of the legend left out."""
    return [float(each.get("height")) for each in elements(drawn(panel), "rect", fill=colour)][1:]


class Axes(unittest.TestCase):
    def test_ticks_are_round_and_reach_no_higher_than_the_top(self):
        for top, expected in ((10, [0, 2, 4, 6, 8, 10]), (0.9, [0, 0.2, 0.4, 0.6, 0.8]),
                              (47, [0, 10, 20, 30, 40]), (0, [0])):
            found = plot.ticks(top)
            self.assertEqual(len(found), len(expected), top)
            for tick, wanted in zip(found, expected):
                self.assertAlmostEqual(tick, wanted)

    def test_powers_of_ten_enclose_the_values(self):
        self.assertEqual(plot.powers(0.3, 25), [0.1, 1, 10, 100])
        self.assertEqual(plot.powers(1, 1), [1, 10])

    def test_a_label_is_short(self):
        self.assertEqual([plot.short(value) for value in (1234.5, 45.67, 4.567, 0.0456)],
                         ["1234", "45.7", "4.6", "0.046"])


class Bars(unittest.TestCase):
    def test_heights_are_in_proportion(self):
        panel = plot.Panel("t", "u", [("a", {"gyre": one(5)}), ("b", {"gyre": one(10)})], BOX)
        low, high = heights(panel, COLOURS["gyre"])
        self.assertAlmostEqual(low * 2, high, delta=0.2)

    def test_what_is_far_higher_is_cut_and_its_value_written(self):
        panel = plot.Panel("t", "u", [("a", {"gyre": one(5), "nginx": one(500)})], BOX, top=10)
        self.assertLessEqual(heights(panel, COLOURS["nginx"])[0], plot.area_of(panel).height)
        self.assertIn("500", [each.text for each in elements(drawn(panel), "text")])

    def test_what_is_not_known_has_no_bar(self):
        panel = plot.Panel("t", "u", [("a", {"gyre": one(math.nan), "nginx": one(1)})], BOX)
        self.assertEqual(heights(panel, COLOURS["gyre"]), [])

    def test_whiskers_go_from_the_least_to_the_greatest(self):
        panel = plot.Panel("t", "u", [("a", {"gyre": Spread(5, 4, 8)})], BOX)
        scale = plot.scale_of(panel)
        whiskers = elements(drawn(panel), "line", opacity=".55")
        self.assertEqual([whiskers[0].get(key) for key in ("y1", "y2")],
                         [f"{scale.y(value):.1f}" for value in (4, 8)])

    def test_a_mark_shows_what_is_to_be_reached(self):
        panel = plot.Panel("t", "u", [("a", {"gyre": one(5)})], BOX, {"a": 20.0})
        self.assertGreater(plot.top_of(panel), 20)
        self.assertEqual(len(elements(drawn(panel), "line", **{"stroke-width": "2"})), 1)


class Dots(unittest.TestCase):
    def test_equal_factors_are_equal_distances(self):
        groups = [(str(value), {"gyre": one(value)}) for value in (0.1, 1, 10)]
        panel = plot.Panel("t", "u", groups, BOX, is_dots=True)
        low, middle, high = (float(each.get("cy")) for each in elements(drawn(panel), "circle"))
        self.assertAlmostEqual(low - middle, middle - high, delta=0.2)

    def test_nothing_at_all_is_no_error(self):
        self.assertEqual(elements(drawn(plot.Panel("t", "u", [], BOX, is_dots=True)), "circle"), [])


class Page(unittest.TestCase):
    def results(self):
        small = {name: [FakeRun(cpu_us=value, p99_ms=value / 3)]
                 for name, value in (("gyre", 6), ("nginx", 10), ("bare", 5))}
        large = fake_runs("rate", gyre=[3, 4], nginx=[2, 2.5])
        return [(FakeCell("small"), small), (FakeCell("site", "20 files"), small),
                (FakeCell("large", "10 MB", 8), large),
                (FakeCell("crowd", "4 KB, 9900 idle"), fake_runs("idle_bytes", gyre=[900]))]

    def test_the_page_is_well_formed_and_within_its_size(self):
        root = ElementTree.fromstring(plots.page(self.results(), ["<&> conditions"]))
        width, height = float(root.get("width")), float(root.get("height"))
        for each in elements(root, "rect"):
            self.assertLessEqual(float(each.get("x", 0)) + float(each.get("width")), width)
            self.assertLessEqual(float(each.get("y", 0)) + float(each.get("height")), height)

    def test_the_legend_names_who_took_part_and_nobody_else(self):
        page = plots.page(self.results(), [])
        self.assertIn(">bare<", page)
        self.assertNotIn(">caddy<", page)

    def test_no_line_ends_with_a_blank(self):
        self.assertIsNone(re.search(r"[ \t]$", plots.page(self.results(), []), re.MULTILINE))

    def test_nothing_to_show_is_no_page(self):
        self.assertIsNone(plots.page([], []))


if __name__ == "__main__":
    sys.exit(tap.main())
