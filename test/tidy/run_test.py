"""The test runner, against small fake programs: what it counts, what it shows, how it ends."""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest

import tap

RUNNER = pathlib.Path(__file__).resolve().parent.parent / "run.py"


class Runner(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, text, mode=0o755):
        path = self.folder / name
        path.write_text(textwrap.dedent(text))
        path.chmod(mode)
        return str(path)

    def shell(self, text, name="fake_test"):
        return self.write(name, "#!/bin/sh\n" + textwrap.dedent(text))

    def run_it(self, *arguments):
        done = subprocess.run([sys.executable, str(RUNNER), *arguments], text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60)
        self.lines = done.stdout.splitlines()
        self.text = done.stdout
        return done.returncode

    def expect(self, status, last_line):
        self.assertEqual(self.lines[-1], last_line, self.text)
        self.assertEqual(self.status, status, self.text)

    def judge(self, script, *options):
        self.status = self.run_it(*options, self.shell(script))


class Counting(Runner):
    def test_passes_are_counted_on_one_line_for_the_program(self):
        self.judge("echo 1..2; echo ok 1 - a; echo ok 2 - b")
        self.expect(0, "2 passed, 0 failed")
        self.assertEqual(len(self.lines), 2, self.text)
        self.assertRegex(self.lines[0], r"^ok +fake_test +\d+\.\d\d s +2 passed, 0 failed$")

    def test_a_variable_may_be_given_before_a_program(self):
        path = self.shell('echo 1..1; [ "$FAKE" = epoll ] && echo ok 1 - a || echo not ok 1 - a')
        self.status = self.run_it(f"FAKE=epoll:{path}", f"FAKE=:{path}", path)
        self.expect(1, "1 passed, 2 failed")
        self.assertRegex(self.lines[0], r"^ok +FAKE=epoll:fake_test +\d+\.\d\d s +1 passed, 0")

    def test_a_plan_may_come_last(self):
        self.judge("echo ok 1 - a; echo 1..1")
        self.expect(0, "1 passed, 0 failed")

    def test_programs_add_up_in_the_order_given(self):
        first = self.shell("echo 1..1; echo ok 1 - a", "slow_test")
        second = self.shell("echo 1..1; echo not ok 1 - b; exit 1", "quick_test")
        self.status = self.run_it("--jobs", "2", first, second)
        self.expect(1, "1 passed, 1 failed")
        self.assertLess(self.text.index("slow_test"), self.text.index("quick_test"))

    def test_skips_are_counted_and_listed_with_their_reasons(self):
        self.judge("echo 1..2; echo ok 1 - a; echo 'ok 2 - b # SKIP kernel too old'")
        self.expect(0, "1 passed, 0 failed, 1 skipped")
        self.assertIn("    fake_test: b: kernel too old", self.lines)

    def test_a_plan_of_none_with_a_reason_is_a_skip(self):
        good = self.shell("echo 1..1; echo ok 1", "good_test")
        self.status = self.run_it(good, self.shell("echo '1..0 # SKIP no io_uring'"))
        self.expect(0, "1 passed, 0 failed, 1 skipped")
        self.assertIn("fake_test: all: no io_uring", self.text)

    def test_exit_status_77_is_a_skip_with_the_last_line_as_reason(self):
        good = self.shell("echo 1..1; echo ok 1", "good_test")
        self.status = self.run_it(good, self.shell("echo io_uring is forbidden here; exit 77"))
        self.expect(0, "1 passed, 0 failed, 1 skipped")
        self.assertIn("fake_test: all: io_uring is forbidden here", self.text)

    def test_exit_status_77_after_a_pass_is_a_failure(self):
        self.judge("echo 1..1; echo ok 1; exit 77")
        self.expect(1, "1 passed, 1 failed")

    def test_a_skip_as_cmocka_writes_it_takes_its_reason_from_what_the_test_said(self):
        self.judge("echo 1..2; echo ok 1 - a; echo needs Linux 6.7; echo 'not ok 2 # SKIP b'")
        self.expect(0, "1 passed, 0 failed, 1 skipped")
        self.assertIn("    fake_test: b: needs Linux 6.7", self.lines)

    def test_nothing_but_skips_is_no_success(self):
        self.judge("exit 77")
        self.expect(1, "0 passed, 0 failed, 1 skipped")

    def test_no_program_is_no_success(self):
        self.status = self.run_it()
        self.expect(1, "0 passed, 0 failed")


class Failing(Runner):
    def test_a_failure_shows_its_name_and_its_lines_and_no_other_tests(self):
        self.judge("""\
            echo 1..3
            echo chatter of the first; echo ok 1 - first
            echo seed 42; echo not ok 2 - second; echo '# expected 1, got 2'
            echo chatter of the third; echo ok 3 - third
            exit 1""")
        self.expect(1, "2 passed, 1 failed")
        start = self.lines.index("    not ok: second")
        self.assertEqual(self.lines[start + 1:start + 3],
                         ["        seed 42", "        # expected 1, got 2"])
        self.assertNotIn("chatter of the first", self.text)

    def test_standard_error_is_shown(self):
        self.judge("echo 1..1; echo to stderr >&2; echo not ok 1 - a; exit 1")
        self.expect(1, "0 passed, 1 failed")
        self.assertIn("        to stderr", self.lines)

    def test_what_follows_the_last_test_of_a_failing_program_is_shown(self):
        self.judge("echo 1..1; echo not ok 1 - a; echo leaked 8 bytes >&2; exit 1")
        self.expect(1, "0 passed, 1 failed")
        self.assertIn("        leaked 8 bytes", self.lines)

    def test_a_crash_is_a_failure_named_by_its_signal(self):
        self.judge("echo 1..2; echo ok 1; echo last words; kill -SEGV $$")
        self.expect(1, "1 passed, 1 failed")
        self.assertIn("not ok: killed by SIGSEGV, after 1 tests", self.text)
        self.assertIn("        last words", self.lines)

    def test_an_exit_status_that_no_test_explains_is_a_failure(self):
        self.judge("echo 1..1; echo ok 1; echo LeakSanitizer >&2; exit 23")
        self.expect(1, "1 passed, 1 failed")
        self.assertIn("not ok: exit status 23, though no test failed", self.text)
        self.assertIn("        LeakSanitizer", self.lines)

    def test_a_failed_test_counts_whatever_the_exit_status(self):
        self.judge("echo 1..1; echo not ok 1 - a")
        self.expect(1, "0 passed, 1 failed")

    def test_a_plan_not_kept_is_a_failure(self):
        self.judge("echo 1..3; echo ok 1; echo ok 2")
        self.expect(1, "2 passed, 1 failed")
        self.assertIn("bad plan: 3 planned, 2 ran", self.text)

    def test_a_missing_plan_is_a_failure(self):
        self.judge("echo ok 1")
        self.expect(1, "1 passed, 1 failed")

    def test_two_plans_are_a_failure(self):
        self.judge("echo 1..1; echo ok 1; echo 1..1")
        self.expect(1, "1 passed, 1 failed")

    def test_a_wrong_test_number_is_a_failure(self):
        self.judge("echo 1..2; echo ok 1; echo ok 1")
        self.expect(1, "2 passed, 1 failed")
        self.assertIn("test number 1 where 2 was due", self.text)

    def test_an_empty_plan_without_reason_is_a_failure(self):
        self.judge("echo 1..0")
        self.expect(1, "0 passed, 1 failed")

    def test_bailing_out_is_a_failure_with_its_reason(self):
        self.judge("echo 1..1; echo ok 1; echo 'Bail out! no disk'")
        self.expect(1, "1 passed, 1 failed")
        self.assertIn("bailed out: no disk", self.text)

    def test_no_tap_at_all_is_a_failure_that_shows_the_output(self):
        self.judge("echo hello")
        self.expect(1, "0 passed, 1 failed")
        self.assertIn("        hello", self.lines)

    def test_a_program_that_is_not_there_is_a_failure(self):
        self.status = self.run_it(str(self.folder / "absent_test"))
        self.expect(1, "0 passed, 1 failed")
        self.assertIn("cannot be run: No such file or directory", self.text)

    def test_endless_output_is_a_failure(self):
        self.judge("exec yes")
        self.expect(1, "0 passed, 1 failed")
        self.assertIn("wrote more than 8 MiB", self.text)

    def test_bytes_that_are_not_utf_8_are_shown_escaped(self):
        self.judge(r"printf '1..1\nbad \377 byte\nnot ok 1 - a\n'")
        self.expect(1, "0 passed, 1 failed")
        self.assertIn(r"        bad \xff byte", self.lines)


class Processes(Runner):
    def is_gone(self, pid):
        """Waits for the kill to land: a killed process is gone, or a zombie of someone else."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                return True
            if stat.rpartition(")")[2].split()[0] in "ZX":
                return True
            os.sched_yield()
        return False

    def test_a_program_past_its_time_limit_is_killed_with_its_children(self):
        pid_file = self.folder / "pid"
        self.judge(f"echo 1..1; tail -f /dev/null & echo $! >{pid_file}; wait", "--timeout", "0.5")
        self.expect(1, "0 passed, 1 failed")
        self.assertIn("ran past its time limit of 0.5 s, after 0 tests", self.text)
        self.assertTrue(self.is_gone(int(pid_file.read_text())))

    def test_a_child_left_behind_is_killed_and_does_not_hold_up_the_run(self):
        pid_file = self.folder / "pid"
        self.judge(f"tail -f /dev/null & echo $! >{pid_file}; echo 1..1; echo ok 1")
        self.expect(0, "1 passed, 0 failed")
        self.assertTrue(self.is_gone(int(pid_file.read_text())))

    def test_an_interrupted_run_leaves_no_program_behind(self):
        ready = self.folder / "ready"
        os.mkfifo(ready)
        program = self.shell(f"echo $$ >{ready}; exec tail -f /dev/null")
        runner = subprocess.Popen([sys.executable, str(RUNNER), program],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        pid = int(ready.read_text())
        runner.send_signal(signal.SIGTERM)
        self.assertEqual(runner.wait(timeout=30), 130)
        self.assertTrue(self.is_gone(pid))

    def test_a_python_file_needs_no_executable_bit(self):
        program = self.write("fake_test.py", "print('1..1'); print('ok 1')", mode=0o644)
        self.status = self.run_it(program)
        self.expect(0, "1 passed, 0 failed")

    def test_programs_run_at_the_root_of_the_repository(self):
        root = RUNNER.parent.parent
        self.judge(f'[ "$(pwd -P)" = "{root}" ] && echo ok 1 || echo not ok 1 - in $PWD; echo 1..1')
        self.expect(0, "1 passed, 0 failed")


if __name__ == "__main__":
    sys.exit(tap.main())
