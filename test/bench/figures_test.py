"""What is computed of measurements: medians, ratios, the best, who is out, how busy a core was."""
import math
import sys
import unittest

import bench_path  # noqa: F401 - with it, what follows is found
import figures
import tap

STAT = """\
cpu  300 7 90 9000 40 5 6 0 0 0
cpu0 100 2 30 4000 20 3 4 50 60 70
cpu1 200 5 60 5000 20 2 2 0 0 0
cpu10 999 9 9 9 9 9 9 9 9 9
intr 12345 0 1
"""


class Spreads(unittest.TestCase):
    def test_a_spread_has_median_least_and_greatest(self):
        self.assertEqual(figures.spread([5, 1, 9, 2, 3]), (3, 1, 9))

    def test_an_even_number_of_values_has_the_mean_of_the_middle_two_as_its_median(self):
        self.assertEqual(figures.spread([1, 2, 4, 10]).median, 3)

    def test_what_is_not_known_does_not_count(self):
        self.assertEqual(figures.spread([math.nan, 4, 2, math.nan, 3]), (3, 2, 4))

    def test_nothing_has_no_median(self):
        self.assertTrue(all(math.isnan(value) for value in figures.spread([])))
        self.assertTrue(math.isnan(figures.median([math.nan])))


class Ratios(unittest.TestCase):
    def test_a_ratio_is_the_median_of_the_rounds_ratios(self):
        """And not the ratio of the medians, which would be 2 / 4."""
        self.assertEqual(figures.ratio([1, 2, 9], [4, 2, 10]), (0.9, 0.25, 1.0))

    def test_rounds_that_only_one_of_the_two_has_do_not_count(self):
        self.assertEqual(figures.ratio([1, 2, 100, 100], [2, 4]), (0.5, 0.5, 0.5))

    def test_a_ratio_to_nothing_is_unknown(self):
        self.assertTrue(math.isnan(figures.ratio([1, 2], [0, 0]).median))
        self.assertEqual(figures.ratio([1, 2], [0, 4]).median, 0.5)


class Races(unittest.TestCase):
    def test_the_best_has_the_least_median_or_the_greatest(self):
        values = {"a": [1, 9, 9], "b": [5, 5, 5], "c": [7, 7, 7]}
        self.assertEqual(figures.best(values, True), "b")
        self.assertEqual(figures.best(values, False), "a")

    def test_who_has_no_figures_is_not_the_best(self):
        self.assertEqual(figures.best({"a": [math.nan], "b": [3]}, True), "b")
        self.assertIsNone(figures.best({"a": []}, True))

    def test_who_always_costs_much_more_than_the_cheapest_rival_is_out(self):
        rivals = {"cheap": [10, 12], "dear": [90, 90]}
        self.assertTrue(figures.is_out_of_race([19, 30], rivals, 1.5))

    def test_who_came_near_the_cheapest_rival_once_is_not(self):
        rivals = {"cheap": [10, 12], "dear": [90, 90]}
        self.assertFalse(figures.is_out_of_race([18, 90], rivals, 1.5))

    def test_without_rivals_or_figures_nobody_is_out(self):
        self.assertFalse(figures.is_out_of_race([5], {}, 1.5))
        self.assertFalse(figures.is_out_of_race([], {"a": [1]}, 1.5))


class Accounting(unittest.TestCase):
    def test_busy_is_user_nice_system_irq_and_softirq(self):
        """Not idle, not waiting for a disk, not what guests and the hypervisor took."""
        self.assertEqual(figures.busy_s(STAT, 0, 100), (100 + 2 + 30 + 3 + 4) / 100)

    def test_a_core_is_not_taken_for_another_whose_number_begins_like_it(self):
        self.assertEqual(figures.busy_s(STAT, 1, 100), (200 + 5 + 60 + 2 + 2) / 100)

    def test_a_core_that_is_not_there_is_an_error(self):
        self.assertRaises(ValueError, figures.busy_s, STAT, 2, 100)


if __name__ == "__main__":
    sys.exit(tap.main())
