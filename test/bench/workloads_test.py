"""What is measured is what was meant: files, requests, weights, time."""
import pathlib
import re
import sys
import tempfile
import unittest

from bench_path import REPOSITORY
import files
import launch
import tap
import workloads


class Files(unittest.TestCase):
    def test_the_site_has_20_files_from_3_to_300_kilobytes(self):
        sizes = files.site_sizes()
        self.assertEqual((len(sizes), sizes[0], sizes[-1]), (20, 3 * 1024, 300 * 1024))
        self.assertEqual(len(set(files.site_names())), 20)

    def test_texts_are_the_same_every_time_and_of_the_size_asked_for(self):
        self.assertEqual(files.site_text(5000, 7), files.site_text(5000, 7))
        self.assertEqual(len(files.site_text(5000, 7)), 5000)

    def test_the_many_have_1_to_16_kilobytes_and_about_half_on_average(self):
        sizes = [files.many_size(rank) for rank in range(1, 10001)]
        self.assertGreaterEqual(min(sizes), 1024)
        self.assertLessEqual(max(sizes), 16 * 1024)
        self.assertAlmostEqual(sum(sizes) / len(sizes), 8.5 * 1024, delta=100)

    def test_the_client_names_the_many_as_they_are_made(self):
        script = (REPOSITORY / "bench" / "wrk.lua").read_text()
        pattern = re.search(r'string\.format\("/many/(.*?)", rank % 100, rank\)', script)[1]
        for rank in (1, 99, 100, 54321, 100000):
            self.assertEqual(pattern % (rank % 100, rank), files.many_path(rank))

    def test_a_path_is_made_once_and_never_in_part(self):
        with tempfile.TemporaryDirectory() as name:
            path = pathlib.Path(name) / "folder" / "file"

            def fail(part):
                part.write_text("half")
                raise OSError("no space")

            self.assertRaises(OSError, files.provide, path, fail)
            self.assertFalse(path.exists())
            self.assertTrue(files.provide(path, lambda part: part.write_text("whole")))
            self.assertFalse(files.provide(path, fail))
            self.assertEqual(path.read_text(), "whole")


class Cells(unittest.TestCase):
    def setUp(self):
        self.cells = workloads.full([1000] * 20)

    def test_every_workload_is_there(self):
        self.assertEqual({cell.workload for cell in self.cells},
                         {"small", "site", "large", "many", "cold", "crowd", "churn", "pipeline",
                          "logged"})

    def test_names_are_unique(self):
        self.assertEqual(len({cell.name for cell in self.cells}), len(self.cells))

    def test_only_who_does_not_read_weights_gets_none(self):
        site = next(cell for cell in self.cells if cell.workload == "site")
        self.assertEqual(workloads.fields_for("nginx", site), (workloads.ACCEPT,))
        self.assertEqual(workloads.fields_for("h2o", site), (workloads.ACCEPT_PLAIN,))

    def test_all_of_it_takes_less_than_20_minutes_and_the_quick_part_less_than_2(self):
        self.assertLess(workloads.expected_s(self.cells, 8, workloads.ROUNDS), 20 * 60)
        quick = workloads.quick([1000] * 20)
        self.assertLess(workloads.expected_s(quick, 2, workloads.ROUNDS), 2 * 60)


class Templates(unittest.TestCase):
    def test_every_word_between_at_signs_is_filled_in(self):
        with tempfile.TemporaryDirectory() as name:
            home = pathlib.Path(name)
            words = {"ROOT": "/srv", "PORT": 8080, "EXTRA": "", **launch.log_words(True)}
            for folder in ("peers", "compare/conf"):
                for peer in (*launch.PROGRAMS, "gyre"):
                    if folder == "compare/conf" and peer == "h2o":
                        continue  # not compared
                    path = launch.write_configuration(peer, REPOSITORY / "bench" / folder, home,
                                                        words)
                    self.assertIsNone(re.search("@[A-Z_]+@", path.read_text()), path)

    def test_the_lines_of_the_log_count_only_when_there_is_one(self):
        text = "@LOGGED@log\n@UNLOGGED@nolog"
        self.assertEqual(launch.fill(text, launch.log_words(True)), "log\n# nolog")
        self.assertEqual(launch.fill(text, launch.log_words(False)), "# log\nnolog")


if __name__ == "__main__":
    sys.exit(tap.main())
