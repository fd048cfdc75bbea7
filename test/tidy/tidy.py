"""Checks style and layering of the whole tree; prints `file:line: what` and exits 1 on a finding.

Each rule is a function that yields (line, what) for one file; RULES lists them. tidy_test.py proves
of each that it fires on a bad snippet and stays quiet on a good one.
"""
import ast
import functools
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys

from source import Source

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

COLUMNS_MAX = 100
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 450
CLANG_FORMAT_VERSION = "14"  # other versions format differently

LAYERS = ("uring", "http", "conf", "server")
PURE_LAYERS = ("http", "conf")
CODE_SUFFIXES = (".c", ".h", ".py", ".sh", ".mk", ".ini", ".html", ".css", ".mjs")
SPACED_SUFFIXES = (".c", ".h", ".py", ".sh", ".ini", ".html", ".css", ".mjs")
MEASURED_SUFFIXES = (".c", ".h", ".py", ".sh", ".mjs")

# What each layer may include: folders of our own, and headers of the system. A layer without a list
# of system headers may include any but those of others' libraries.
INCLUDE_FOLDERS = {
    "uring": {"uring"},
    "http": {"http"},
    "conf": {"conf"},
    "server": {"server", "uring", "http", "conf"},
}
PURE_HEADERS = {
    "assert.h", "ctype.h", "errno.h", "inttypes.h", "limits.h", "stdalign.h", "stdarg.h",
    "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "strings.h",
    "arm_neon.h", "emmintrin.h", "immintrin.h",
}
INCLUDE_HEADERS = {
    "http": PURE_HEADERS | {"llhttp.h", "llhttp/llhttp.h"},
    "conf": PURE_HEADERS | {"ini.h", "arpa/inet.h"},  # inet_pton: text to address, pure
}
INCLUDE_NEVER = {
    "uring": r"(llhttp|ini|magic|zlib|zstd|brotli|openssl)\b",
    "server": r"(liburing\b|linux/io_uring)",
}

BANNED_CALLS = (
    "strcpy", "strcat", "sprintf", "vsprintf", "gets", "strtok", "strtok_r", "atoi", "atol", "atof",
    "system", "popen", "alloca", "usleep", "sleep",
)
PURE_BANNED_CALLS = (
    "malloc", "calloc", "realloc", "reallocarray", "free", "strdup", "strndup", "asprintf",
    "aligned_alloc", "posix_memalign", "mmap", "munmap",
    "time", "clock", "clock_gettime", "gettimeofday", "localtime", "localtime_r", "mktime",
    "open", "openat", "fopen", "fdopen", "close", "fclose", "read", "pread", "write", "pwrite",
    "stat", "fstat", "lstat", "fstatat", "fread", "fwrite", "fgets", "getline",
    "socket", "bind", "listen", "accept", "accept4", "connect", "send", "sendto", "sendmsg", "recv",
    "recvfrom", "recvmsg", "printf", "fprintf", "puts", "perror", "getenv", "setlocale", "rand",
    "random", "getrandom", "exit", "ini_parse", "ini_parse_file",
)

LEFTOVER = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b|^\s*#\s*if\s+0\b")
GUARD = re.compile(r"#ifndef (GYRE_\w+_H)\n#define \1\n")


def too_wide(source):
    if source.path.suffix in CODE_SUFFIXES or source.path.name == "Makefile":
        for number, line in enumerate(source.lines, 1):
            if len(line) > COLUMNS_MAX:
                yield number, f"{len(line)} columns, at most {COLUMNS_MAX}"


def tab(source):
    if source.path.suffix in SPACED_SUFFIXES:
        for number, line in enumerate(source.lines, 1):
            if "\t" in line:
                yield number, "tab"


def blank_at_end(source):
    if source.path.suffix in (*CODE_SUFFIXES, ".md", ".svg") or source.path.name == "Makefile":
        for number, line in enumerate(source.text.split("\n"), 1):
            if line != line.rstrip():
                yield number, "blank at the end of the line"
        if source.text and not source.text.endswith("\n"):
            yield len(source.lines), "no newline at the end of the file"
        elif source.text.endswith("\n\n"):
            yield len(source.lines), "empty line at the end of the file"


def long_function(source):
    for name, line, line_last in functions(source):
        count = line_last - line + 1
        if count > FUNCTION_LINES_MAX:
            yield line, f"function {name} has {count} lines, at most {FUNCTION_LINES_MAX}"


def functions(source):
    """(name, first line, last line) of every function."""
    for declaration in source.declarations:
        if declaration.is_function:
            name = declaration.text.partition("(")[0].split()[-1].lstrip("*")
            yield name, declaration.line, declaration.line_last
    if source.is_python:
        for node in ast.walk(ast.parse(source.text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield node.name, node.lineno, node.end_lineno


def long_file(source):
    if source.path.suffix in MEASURED_SUFFIXES and len(source.lines) > FILE_LINES_MAX:
        yield FILE_LINES_MAX + 1, f"{len(source.lines)} lines, at most {FILE_LINES_MAX}"


def layer_include(source):
    if source.folder not in LAYERS or not source.is_c:
        return
    for number, name, is_system in source.includes():
        if not is_system:
            folder = name.partition("/")[0] if "/" in name else ""
            if folder not in INCLUDE_FOLDERS[source.folder]:
                allowed = ", ".join(sorted(INCLUDE_FOLDERS[source.folder]))
                yield number, f'{source.folder}/ may not include "{name}" (only {allowed})'
        elif name not in INCLUDE_HEADERS.get(source.folder, {name}):
            yield number, f"{source.folder}/ may not include <{name}>"
        elif re.match(INCLUDE_NEVER.get(source.folder, r"(?!)"), name):
            yield number, f"{source.folder}/ may not include <{name}>"


def impure_call(source):
    if source.folder in PURE_LAYERS:
        for number, name in source.calls(PURE_BANNED_CALLS):
            yield number, f"{name}() in {source.folder}/: no I/O, clock, allocation, globals"


def banned_call(source):
    for number, name in source.calls(BANNED_CALLS):
        yield number, f"{name}() is banned"


def test_sleep(source):
    if source.is_python and source.folder == "test":
        for node in ast.walk(ast.parse(source.text)):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if name == "sleep":
                    yield node.lineno, "a test that sleeps: wait for the event"


def type_name(source):
    if source.folder in LAYERS:
        for match in re.finditer(r"\btypedef\b", source.code):
            yield source.line_of(match.start()), "typedef"


def mutable_state(source):
    for declaration in source.declarations:
        if declaration.is_mutable_variable():
            yield declaration.line, "variable at file scope that is not const"
        for number in declaration.mutable_local_lines():
            yield number, "static variable that is not const"


def leftover(source):
    for number, line in enumerate(source.lines, 1):
        if match := LEFTOVER.search(line):
            yield number, f"leftover {match[0].strip()}"


def header_guard(source):
    if not source.is_header:
        return
    match = GUARD.search(source.text)
    stem = re.sub(r"\W", "_", source.path.stem).upper()
    if not match or not match[1].endswith(f"_{stem}_H"):
        yield 1, f"no header guard GYRE_..._H that ends in {stem}_H"
    elif not source.text.rstrip().endswith("#endif"):
        yield len(source.lines), "the header guard does not end the file"


def first_comment(source):
    if source.is_c and not source.text.startswith("/*"):
        yield 1, "a C file begins with a comment that says what it is for"


def machine_name(source):
    pattern = names_here()
    for number, line in enumerate(source.lines, 1):
        if match := pattern.search(line):
            yield number, f"names this machine: {match[0]}"


@functools.cache
def names_here():
    return machine_names(ROOT, socket.gethostname(), pathlib.Path.home())


def machine_names(root, host, home):
    """A pattern of what is true only here: the checkout's folder, its neighbours, host and home."""
    public = {"", "home", "root", "tmp", "var", "usr", "opt", "srv", "mnt", "src", "builds"}
    names = [re.escape(f"{root}/"), re.escape(str(root)) + r"(?![\w-])"]
    parent = root.parent
    if parent.name not in public:
        names.append(re.escape(f"{parent}/"))
        if len(parent.parts) == 2:
            names += [r"(?<![\w./-])" + re.escape(f"{sibling.name}/")
                      for sibling in sorted(parent.iterdir())
                      if sibling.is_dir() and not (root / sibling.name).exists()
                      and sibling != root]
    if len(host) >= 6 and re.search(r"\d", host):
        names.append(rf"\b{re.escape(host)}\b")
    if home.name not in public:
        names.append(re.escape(f"{home}/"))
    return re.compile("|".join(names))


RULES = (
    too_wide, tab, blank_at_end, long_function, long_file, layer_include, impure_call, banned_call,
    test_sleep, type_name, mutable_state, leftover, header_guard, first_comment, machine_name,
)


def check(path, text):
    """Every finding in one file, as (line, what), in the order of the lines."""
    source = Source(path, text)
    try:
        return sorted(finding for rule in RULES for finding in rule(source))
    except SyntaxError as error:
        return [(error.lineno or 1, f"does not parse: {error.msg}")]


def tree_paths():
    """What git tracks or would track; without git, all but build/ and hidden folders."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True,
                                stderr=subprocess.DEVNULL).stdout
        return sorted(set(os.fsdecode(listed).split("\0")) - {""})
    except (OSError, subprocess.CalledProcessError):
        pass
    paths = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name != "build" and not name.startswith(".")]
        paths += [os.path.relpath(os.path.join(folder, name), ROOT) for name in names]
    return sorted(paths)


def read_text(path):
    """The file's text, or None when it is no text, is gone, or is raw input for a test."""
    if "corpus" in pathlib.PurePosixPath(path).parts:
        return None
    try:
        data = (ROOT / path).read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        return None
    if b"\0" in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def clang_format():
    """The clang-format to ask, or None when the version that .clang-format is for is not here."""
    for name in (f"clang-format-{CLANG_FORMAT_VERSION}", "clang-format"):
        if program := shutil.which(name):
            said = subprocess.run([program, "--version"], stdout=subprocess.PIPE, text=True).stdout
            if f"version {CLANG_FORMAT_VERSION}." in said:
                return program
    return None


def format_findings(program, paths):
    """(path, first line, what) of each C file that clang-format would change."""
    said = subprocess.run([program, "--dry-run", "-Werror", "--style=file", *paths], cwd=ROOT,
                          stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True).stderr
    lines = {}
    for path, line in re.findall(r"^(\S+):(\d+):\d+: error: ", said, re.MULTILINE):
        lines.setdefault(path, set()).add(int(line))
    return [(path, min(found), f"not as clang-format would have it, {len(found)} lines")
            for path, found in lines.items()]


def main():
    texts = {path: text for path in tree_paths() if (text := read_text(path)) is not None}
    findings = [(path, line, what) for path, text in texts.items()
                for line, what in check(path, text)]
    c_paths = [path for path in texts if path.endswith((".c", ".h"))]
    if program := clang_format():
        findings += format_findings(program, c_paths) if c_paths else []
    else:
        print(f"tidy: no clang-format {CLANG_FORMAT_VERSION} here: formatting not checked")
    for path, line, what in sorted(findings):
        print(f"{path}:{line}: {what}")
    print(f"tidy: {len(texts)} files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
