"""Runs unittest cases and prints TAP: one point per test, its report as comments."""
import sys
import unittest


class TapResult(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.points = 0

    def point(self, verdict, test, directive=""):
        self.points += 1
        name = test.id().rpartition(".")[2].removeprefix("test_")
        print(f"{verdict} {self.points} - {name}{directive}", flush=True)

    def explain(self, test, error):
        self.point("not ok", test)
        for line in self._exc_info_to_string(error, test).splitlines():
            print(f"# {line}", flush=True)

    def addSuccess(self, test):
        self.point("ok", test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.point("ok", test, f" # SKIP {reason}")

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.explain(test, error)

    def addError(self, test, error):
        super().addError(test, error)
        self.explain(test, error)

    def addSubTest(self, test, subtest, error):
        if error is not None:
            super().addSubTest(test, subtest, error)
            self.explain(subtest, error)


def main():
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    result = TapResult()
    suite.run(result)
    print(f"1..{result.points}")
    return 0 if result.wasSuccessful() else 1
