"""What gyre has to reach: against whom, in which direction, and when it counts as met."""
import math
import sys
import unittest

from bench_path import FakeCell, FakeRun, fake_runs
import report
import tap
import targets
from targets import ALONE, BEST, Target


def verdicts_of(workload, runs):
    """{(figure, against): verdict}"""
    return {(verdict.target.figure, verdict.target.against): verdict
            for verdict in targets.verdicts([(FakeCell(workload), runs)])}


class Judging(unittest.TestCase):
    def test_a_bound_is_met_by_what_equals_it_and_missed_just_beyond(self):
        lower, higher = Target((), "cpu_us", "nginx", 0.6), Target((), "rate", BEST, 1.7)
        self.assertEqual([lower.holds(value) for value in (0.59, 0.6, 0.61)], [True, True, False])
        self.assertEqual([higher.holds(value) for value in (1.69, 1.7, 1.71)], [False, True, True])

    def test_what_is_not_known_is_not_met(self):
        for figure in ("cpu_us", "rate"):
            self.assertFalse(Target((), figure, BEST, 1.0).holds(math.nan))

    def test_small_files_are_judged_against_nginx_the_best_peer_and_the_floor(self):
        found = verdicts_of("small", fake_runs("cpu_us", gyre=[6], nginx=[10], h2o=[8], bare=[5]))
        self.assertAlmostEqual(found["cpu_us", "nginx"].ratio.median, 0.6)
        self.assertTrue(found["cpu_us", "nginx"].met)
        self.assertEqual(found["cpu_us", BEST].rival, "h2o")
        self.assertTrue(found["cpu_us", BEST].met)
        self.assertFalse(found["cpu_us", "bare"].met)

    def test_the_floor_and_the_other_engine_are_no_peers(self):
        runs = fake_runs("cpu_us", gyre=[6], nginx=[10], h2o=[11], bare=[1], **{"gyre-epoll": [2]})
        self.assertEqual(verdicts_of("churn", runs)["cpu_us", BEST].rival, "nginx")

    def test_each_figure_has_a_best_peer_of_its_own(self):
        runs = {"gyre": [FakeRun(cpu_us=5, p99_ms=1)], "nginx": [FakeRun(cpu_us=9, p99_ms=2)],
                "h2o": [FakeRun(cpu_us=8, p99_ms=3)]}
        found = verdicts_of("many", runs)
        self.assertEqual(found["cpu_us", BEST].rival, "h2o")
        self.assertEqual(found["p99_ms", BEST].rival, "nginx")

    def test_of_throughput_the_best_is_the_highest(self):
        found = verdicts_of("large", fake_runs("rate", gyre=[3.4], nginx=[1], caddy=[2]))
        self.assertEqual(found["rate", BEST].rival, "caddy")
        self.assertTrue(found["rate", BEST].met)

    def test_memory_is_judged_by_itself(self):
        runs = fake_runs("idle_bytes", gyre=[1536], nginx=[10])
        self.assertTrue(verdicts_of("crowd", runs)["idle_bytes", ALONE].met)
        runs = fake_runs("idle_bytes", gyre=[1537], nginx=[10])
        self.assertFalse(verdicts_of("crowd", runs)["idle_bytes", ALONE].met)

    def test_one_error_in_any_round_is_a_miss(self):
        found = verdicts_of("small", {"gyre": [FakeRun(), FakeRun(errors=1), FakeRun()]})
        self.assertFalse(found["errors", ALONE].met)
        self.assertEqual(found["errors", ALONE].ours, 1)

    def test_who_was_not_there_is_not_judged_against(self):
        found = verdicts_of("small", fake_runs("cpu_us", gyre=[6]))
        self.assertEqual(set(found), {("errors", ALONE)})

    def test_where_nginx_is_alone_it_is_not_the_best_peer_as_well(self):
        found = verdicts_of("small", fake_runs("cpu_us", gyre=[6], nginx=[10]))
        self.assertEqual(set(found), {("cpu_us", "nginx"), ("errors", ALONE)})
        found = verdicts_of("large", fake_runs("rate", gyre=[6], nginx=[3]))
        self.assertIn(("rate", BEST), found)

    def test_cells_without_gyre_have_no_verdict(self):
        self.assertEqual(verdicts_of("small", fake_runs("cpu_us", nginx=[6])), {})

    def test_the_threads_own_ratio_stands_beside_that_of_the_core(self):
        runs = {"gyre": [FakeRun(cpu_us=9, own_us=5)], "nginx": [FakeRun(cpu_us=10, own_us=10)]}
        verdict = verdicts_of("small", runs)["cpu_us", "nginx"]
        self.assertAlmostEqual(verdict.ratio.median, 0.9)
        self.assertAlmostEqual(verdict.own_ratio, 0.5)


class Tables(unittest.TestCase):
    def test_numbers_have_as_many_digits_as_say_something(self):
        for value, text in ((0, "0"), (0.256, "0.26"), (9.876, "9.88"), (123.45, "123.5"),
                            (98765.4, "98765"), (math.nan, "-")):
            self.assertEqual(report.number(value), text)

    def test_the_columns_of_a_table_are_as_wide_as_their_widest(self):
        self.assertEqual(report.markdown(["a", "bb"], [["ccc", "d"]]),
                         "| a   | bb |\n| --- | -- |\n| ccc | d  |")

    def test_misses_come_before_what_is_met(self):
        runs = fake_runs("cpu_us", gyre=[6], nginx=[10], h2o=[9], bare=[1])
        text = "\n".join(report.target_parts([(FakeCell("small"), runs)]))
        self.assertIn("3 of 4 met", text)
        self.assertLess(text.index("MISSED"), text.index("### Met"))


if __name__ == "__main__":
    sys.exit(tap.main())
