"""Every edit of the ablation still fits the sources, and says what it costs the right way round."""
import sys
import unittest

from bench_path import REPOSITORY, FakeCell, fake_runs
import ablation
import servers
import tap


class Edits(unittest.TestCase):
    def test_every_edit_finds_its_text_once(self):
        for choice in ablation.CHOICES:
            for name in {edit.file for edit in choice.edits}:
                with self.subTest(choice=choice.name, file=name):
                    before = (REPOSITORY / name).read_text()
                    self.assertNotEqual(ablation.source_of(choice, name), before)

    def test_every_choice_changes_something(self):
        for choice in ablation.CHOICES:
            self.assertTrue(choice.edits or choice.lines, choice.name)

    def test_a_text_that_is_gone_or_there_twice_stops_the_run(self):
        edit = ablation.Edit("a.c", "old", "new")
        for text in ("", "old old"):
            self.assertRaises(servers.Failed, ablation.edited, text, edit)
        self.assertEqual(ablation.edited("an old text", edit), "an new text")


class Costs(unittest.TestCase):
    def test_more_cpu_without_the_choice_is_a_cost(self):
        runs = fake_runs("cpu_us", gyre=[10, 10, 10], other=[11, 12, 15])
        self.assertEqual(ablation.percent(ablation.cost(FakeCell("small"), runs, "other")),
                         "+20% (+10%..+50%)")

    def test_less_throughput_without_the_choice_is_a_cost(self):
        runs = fake_runs("rate", gyre=[10, 10, 10], other=[5, 9, 8])
        self.assertEqual(ablation.percent(ablation.cost(FakeCell("large"), runs, "other")),
                         "+20% (+10%..+50%)")


if __name__ == "__main__":
    sys.exit(tap.main())
