"""Each tidy rule fires on a bad snippet, on the right line, and stays quiet on a good one."""
import pathlib
import subprocess
import sys
import tempfile
import textwrap
import unittest

import source
import tap
import tidy

LEFT = "TO" + "DO"


def lines_of(count, text="x\n"):
    return text * count


def function_of(lines_count):
    """A C function of exactly this many lines, signature and braces included."""
    return "int f(int a,\n      int b)\n{\n" + lines_of(lines_count - 4, "    a++;\n") + "}\n"


# rule: [(path, bad text, line of the finding)], [(path, good text)]
CASES = {
    "too_wide": (
        [("http/a.c", "\n/* " + "x" * 98, 2), ("Makefile", "x" * 101, 1), ("a.py", "é" * 101, 1)],
        [("http/a.c", "é" * 100), ("README.md", "x" * 101)]),
    "tab": (
        [("a.c", "x\n\tint a;\n", 2), ("a.h", "a\tb", 1), ("a.py", "if a:\n\tb", 2)],
        [("Makefile", "all:\n\techo\n"), ("a.c", "    int a;\n")]),
    "blank_at_end": (
        [("a.c", "int a; \n", 1), ("a.mk", "a:\n\t\n", 2), ("a.css", "a\r\n", 1), ("a.c", "a", 1),
         ("a.md", "a\n\n", 2)],
        [("a.c", "int a;\n\nint b;\n"), ("a.txt", "a \n")]),
    "long_function": (
        [("a.c", "/* a */\n" + function_of(71), 2),
         ("a.py", "a = 1\ndef f():\n" + lines_of(70, "    a()\n"), 2)],
        [("a.c", function_of(70)), ("a.py", "def f():\n" + lines_of(69, "    a()\n")),
         ("a.c", "static const int table[] = {\n" + lines_of(90, "    1,\n") + "};\n")]),
    "long_file": (
        [("a.c", lines_of(451), 451), ("a.py", lines_of(451), 451)],
        [("a.c", lines_of(450)), ("a.md", lines_of(451))]),
    "layer_include": (
        [("http/a.c", "\n#include <unistd.h>\n", 2), ("http/a.c", "#include <sys/socket.h>\n", 1),
         ("http/a.c", "#include <time.h>\n", 1), ("http/a.c", "#include <ini.h>\n", 1),
         ("http/a.c", '#include "server/a.h"\n', 1), ("http/a.c", '#include "conf/conf.h"\n', 1),
         ("http/a.c", '#include "slice.h"\n', 1), ("http/a.c", '#include "../conf/a.h"\n', 1),
         ("conf/a.c", '#include "http/slice.h"\n', 1), ("conf/a.c", "#include <llhttp.h>\n", 1),
         ("uring/a.c", '#include "http/slice.h"\n', 1), ("uring/a.c", "#include <zlib.h>\n", 1),
         ("uring/a.h", '#  include "server/worker.h"\n', 1),
         ("server/a.c", "#include <liburing.h>\n", 1),
         ("server/a.c", "#include <liburing/io_uring.h>\n", 1),
         ("server/a.c", "#include <linux/io_uring.h>\n", 1),
         ("server/a.c", '#include "test/sim/sim.h"\n', 1)],
        [("http/a.c", '#include <stdint.h>\n#include <llhttp/llhttp.h>\n#include "http/a.h"\n'),
         ("conf/a.c", '#include <ini.h>\n#include <string.h>\n#include "conf/conf.h"\n'),
         ("uring/a.c", '#include <liburing.h>\n#include <sys/mman.h>\n#include "uring/uring.h"\n'),
         ("server/a.c", '#include <magic.h>\n#include "uring/uring.h"\n#include "http/a.h"\n'),
         ("http/a.c", "/*\n#include <unistd.h>\n*/\n"),
         ("test/unit/a.c", '#include <unistd.h>\n#include "server/a.h"\n')]),
    "impure_call": (
        [("http/a.c", "{\n    p = malloc(1);\n}", 2), ("http/a.c", "{ free (p); }", 1),
         ("conf/a.c", "{ fd = open(path, 0); }", 1), ("http/a.c", "{ t = time(NULL); }", 1),
         ("http/a.h", "{ read(0, p, 1); }", 1), ("conf/a.c", "{ ini_parse(p, h, u); }", 1),
         ("http/a.c", "{ clock_gettime(0, &t); }", 1), ("http/a.c", "{ socket(1, 2, 3); }", 1)],
        [("http/a.c", '/* malloc(1) */ "free(p)"; http_read(a); p->open(a); p.time(b);'),
         ("conf/a.c", "ini_parse_string(text, handler, user); size_t time;"),
         ("server/a.c", "p = malloc(1); close(fd);")]),
    "banned_call": (
        [("server/a.c", "{\n    strcpy(a, b);\n}", 2), ("test/unit/a.c", "sprintf(a, b);", 1)]
        + [("uring/a.c", f"{name}(a);", 1) for name in tidy.BANNED_CALLS],
        [("a.c", "snprintf(a, 1, b); vsnprintf(a); fgets(a); memcpy(a); file_system(a);"),
         ("a.c", "/* sleep(1) */ 'x'; \"atoi(a)\"; worker->sleep(a);"), ("a.py", "system(a)\n")]),
    "test_sleep": (
        [("test/e2e/a.py", "import time\ntime.sleep(1)\n", 2), ("test/a.py", "sleep(1)\n", 1)],
        [("test/a.py", "# time.sleep(1)\nevent.wait(1)\n"), ("bench/a.py", "time.sleep(1)\n")]),
    "type_name": (
        [(f"{layer}/a.h", "\ntypedef int a;\n", 2) for layer in tidy.LAYERS],
        [("http/a.h", "/* no typedef */ struct a { int b; };"),
         ("test/unit/a.c", "typedef int a;")]),
    "mutable_state": (
        [("a.c", "\n" + text, 2) for text in (
            "static int a;", "int a;", "int a = 1;", "static int a[3];", "extern int a;",
            "static struct a b = { 1 };", "struct { int x; } a;", "static int *const a, *b;",
            'static const char *names[] = { "a" };', "const char *name;", "static _Atomic int a;",
            "static void (*hook)(void);", "static _Thread_local int a;", "_Alignas(64) char a[64];",
            "static int f(void) { return 1; } static int a;")]
        + [("a.c", "int f(void)\n{\n    static int a;\n    return a++;\n}\n", 3),
           ("a.c", "int f(void)\n{\n}\n\nint a[] = {\n    1,\n};\n", 5)],
        [("a.c", text) for text in (
            "static const int a = 1;", "const int a[] = { 1, 2 };", "extern const int a;",
            'static const char *const names[] = { "a" };', "static const struct a b = { .c = 1 };",
            "static const struct { int x; } table[] = { { 1 }, { 2 } };",
            "static int (*const hook)(void) = f;", "struct a;", "struct a { int b; int *c; };",
            "enum { A = 1, B };", "enum a { C };", "union a { int b; };", "int f(void);",
            "int f(int (*call)(void), void *p);", "static inline int f(void)\n{\n    int a;\n}\n",
            "_Static_assert(sizeof(int) == 4, \"int a;\");", "struct a *f(struct a *b);",
            "int f(void) __attribute__((format(printf, 1, 2)));", "#define A \\\n    int a;\n",
            "int f(void)\n{\n    static const int a = 1;\n    int b = a;\n    return b;\n}\n",
            "/* int a; */\nstruct a { int b; } __attribute__((packed));")]),
    "leftover": (
        [("a.c", f"\n/* {LEFT}: later */\n", 2), ("a.md", "FIX" + "ME\n", 1),
         ("a.sh", "# X" + "XX", 1), ("a.c", "int a;\n#if" + " 0\n#endif\n", 2)],
        [("a.sh", "mktemp -d /tmp/a.XXXXXX\n"), ("a.c", "#if 01\n#if A\n/* todos */\n")]),
    "header_guard": (
        [("http/a.h", "/* a */\n", 1),
         ("http/a.h", "#ifndef HTTP_A_H\n#define HTTP_A_H\n#endif\n", 1),
         ("http/a.h", "#ifndef GYRE_A_H\n#define GYRE_B_H\n#endif\n", 1),
         ("http/b.h", "#ifndef GYRE_A_H\n#define GYRE_A_H\n#endif\n", 1),
         ("http/a.h", "#ifndef GYRE_A_H\n#define GYRE_A_H\n#endif\nint f(void);\n", 4)],
        [("http/http_a.h", "/* a */\n#ifndef GYRE_HTTP_A_H\n#define GYRE_HTTP_A_H\nx\n#endif\n"),
         ("http/a.h", "#ifndef GYRE_HTTP_A_H\n#define GYRE_HTTP_A_H\n#endif\n"), ("a.c", "")]),
    "first_comment": (
        [("a.c", "#include <a.h>\n", 1), ("a.h", "\n/* a */\n", 1)],
        [("a.c", "/* a */\n"), ("a.py", "import a\n")]),
    "machine_name": (
        [("a.c", f"\n/* see {tidy.ROOT}/a */\n", 2), ("README.md", str(tidy.ROOT), 1)],
        [("a.c", "/* /usr/share/doc, /tmp/a, www/index.html, server/main.c, 127.0.0.1 */\n")]),
}


class Rules(unittest.TestCase):
    """One test per rule and side, made from CASES below."""


def add_tests(rule):
    name = rule.__name__

    def fires(self):
        for path, text, line in CASES[name][0]:
            found = [at for at, _ in rule(source.Source(path, text))]
            self.assertEqual(found, [line], f"{path}: {text[:200]!r}")

    def stays_quiet(self):
        for path, text in CASES[name][1]:
            self.assertEqual(list(rule(source.Source(path, text))), [], f"{path}: {text[:200]!r}")

    setattr(Rules, f"test_{name}_fires_on_what_is_bad", fires)
    setattr(Rules, f"test_{name}_is_quiet_on_what_is_good", stays_quiet)


for each in tidy.RULES:
    add_tests(each)


class Whole(unittest.TestCase):
    def test_every_rule_has_a_bad_and_a_good_snippet(self):
        self.assertEqual({rule.__name__ for rule in tidy.RULES}, set(CASES))
        for name, (bad, good) in CASES.items():
            self.assertTrue(bad and good, name)

    def test_findings_come_in_the_order_of_their_lines(self):
        found = tidy.check("http/a.c", "#include <time.h>\n\tint a;\n")
        self.assertEqual([line for line, _ in found], [1, 1, 2, 2])

    def test_python_that_does_not_parse_is_a_finding(self):
        self.assertEqual([line for line, _ in tidy.check("test/a.py", "a = 1\nb = (\n")], [2])

    def test_neighbours_host_and_home_are_names_of_this_machine(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder) / "checkout"
            root.mkdir()
            names = tidy.machine_names(root, "host-17-b", pathlib.Path("/home/somebody"))
        for text in (f"{root}/a", "on host-17-b", "/home/somebody/a"):
            self.assertTrue(names.search(text), text)
        for text in ("checkout/a", "localhost", "/home/other"):
            self.assertFalse(names.search(text), text)

    @unittest.skipUnless(tidy.clang_format(), "no clang-format " + tidy.CLANG_FORMAT_VERSION)
    def test_c_that_clang_format_would_change_is_a_finding(self):
        with tempfile.TemporaryDirectory() as folder:
            style = (tidy.ROOT / ".clang-format").read_text()
            (pathlib.Path(folder) / ".clang-format").write_text(style)
            bad, good = (pathlib.Path(folder) / name for name in ("bad.c", "good.c"))
            bad.write_text("int f(void)\n{\n  return 1;\n}\n")
            good.write_text("int f(void)\n{\n    return 1;\n}\n")
            found = tidy.format_findings(tidy.clang_format(), [str(bad), str(good)])
        self.assertEqual([(path, line) for path, line, _ in found], [(str(bad), 2)])

    def test_the_program_lists_findings_and_exits_1(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "test" / "tidy").mkdir(parents=True)
            (root / "http").mkdir()
            here = pathlib.Path(tidy.__file__).parent
            for name in ("tidy.py", "source.py"):
                (root / "test" / "tidy" / name).write_text((here / name).read_text())
            (root / "http" / "a.c").write_text(textwrap.dedent("""\
                /* a */
                int f(void)
                {
                    return atoi("1");
                }
                """))
            done = subprocess.run([sys.executable, str(root / "test" / "tidy" / "tidy.py")],
                                  stdout=subprocess.PIPE, text=True, timeout=60)
        self.assertIn("http/a.c:4: atoi() is banned\n", done.stdout)
        self.assertEqual(done.returncode, 1)


if __name__ == "__main__":
    sys.exit(tap.main())
