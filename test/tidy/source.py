"""A source file as the tidy rules look at it: its lines, and for C its code without comments and
strings and its declarations at file scope."""
import pathlib
import re

OPAQUE = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
ATTRIBUTE = re.compile(r"\b(?:__attribute__|_Alignas)\s*\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)")
TYPE_ONLY = re.compile(r"(?:struct|union|enum)\s*\w*\s*(?:\{\})?")
LOCAL_STATIC = re.compile(r"^[ \t]+static\s+(?!inline\b)([^;={]*)", re.MULTILINE)


def blank(match):
    return re.sub(r"[^\n]", " ", match[0])


class Declaration:
    """One declaration at file scope: its text with every body cut to {}, and its lines."""

    def __init__(self, text, line, line_last, body, body_line):
        self.text = ATTRIBUTE.sub(" ", text).strip()
        self.line = line
        self.line_last = line_last
        self.body = body
        self.body_line = body_line
        self.is_function = text.rstrip().endswith(") {}")

    def is_mutable_variable(self):
        if self.is_function or self.text.startswith(("typedef", "_Static_assert")):
            return False
        head = self.text.partition("=")[0].strip()
        if TYPE_ONLY.fullmatch(head):
            return False
        before, parenthesis, after = head.partition("(")
        if parenthesis and not after.lstrip().startswith("*"):
            return False  # a prototype
        return bool(before) and not is_const(after if parenthesis else before)

    def mutable_local_lines(self):
        """Lines of the static variables inside a function that can change."""
        if not self.is_function:
            return
        for match in LOCAL_STATIC.finditer(self.body):
            if not is_const(match[1]):
                yield self.body_line + self.body.count("\n", 0, match.start(1))


def is_const(declarator):
    """A pointer is const by what follows its last star, anything else by the word anywhere."""
    return re.search(r"\bconst\b", declarator.rpartition("*")[2]) is not None


class Source:
    def __init__(self, path, text):
        self.path = pathlib.PurePosixPath(path)
        self.text = text
        self.lines = text.splitlines()
        self.folder = self.path.parts[0] if len(self.path.parts) > 1 else ""
        self.is_c = self.path.suffix in (".c", ".h")
        self.is_header = self.path.suffix == ".h"
        self.is_python = self.path.suffix == ".py"
        self.code = OPAQUE.sub(blank, text) if self.is_c else ""
        self.declarations = list(self.scan_declarations()) if self.is_c else []

    def line_of(self, position):
        return self.text.count("\n", 0, position) + 1

    def includes(self):
        """(line, name, whether in angle brackets) of every #include that is not in a comment."""
        for number, (line, code) in enumerate(zip(self.lines, self.code.splitlines()), 1):
            match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)', line)
            if match and code.lstrip().startswith("#"):
                yield number, match[2], match[1] == "<"

    def calls(self, names):
        """(line, name) of every call of one of these functions; members do not count."""
        pattern = re.compile(r"(?<![\w.])(?<!->)(" + "|".join(names) + r")\s*\(")
        for match in pattern.finditer(self.code):
            yield self.line_of(match.start(1)), match[1]

    def scan_declarations(self):
        code = DIRECTIVE.sub(blank, self.code)
        text, begin, start, depth, body = "", 0, 0, 0, (0, 0)
        for match in re.finditer(r"[{};]", code):
            position, mark = match.start(), match[0]
            if mark == "{":
                if depth == 0:
                    text += code[start:position].rstrip() + " {}"
                    body = (position, position)
                depth += 1
                continue
            if mark == "}":
                depth -= 1
                if depth == 0:
                    start, body = position + 1, (body[0], position)
            if depth != 0 or mark == "}" and not text.endswith(") {}"):
                continue
            if mark == ";":
                text += code[start:position]
            if text.strip():
                first = begin + re.match(r"\s*", code[begin:]).end()
                yield Declaration(text, self.line_of(first), self.line_of(position),
                                  code[body[0]:body[1]], self.line_of(body[0]))
            text, begin, start, body = "", position + 1, position + 1, (0, 0)
