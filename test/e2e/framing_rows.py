"""Every row of the framing contract as data: RFC 9112 sections 2 to 7, and what gyre adds to them.

A row is (name, bytes, statuses, ending, method). `ending` is what becomes of the connection: CLOSES
(nothing after it may be read as a request), STAYS, or EITHER where the contract leaves it open.
"""

CLOSES, STAYS, EITHER = "closes", "stays", "either"
BODY_MAX_BYTES = 8 * 1024
REQUEST_LINE_MAX_BYTES = 8 * 1024
FIELDS_MAX_BYTES = 32 * 1024

TARGET = "/hello.txt"
ROWS = []


def row(name, data, statuses, ending, method="GET"):
    if isinstance(data, str):
        data = data.encode("latin-1")
    statuses = (statuses,) if isinstance(statuses, int) else statuses
    ROWS.append((name, data, statuses, ending, method))


def refused(name, data, statuses=400, method="GET"):
    row(name, data, statuses, CLOSES, method)


def served(name, data, statuses=200, method="GET"):
    row(name, data, statuses, STAYS, method)


def line(text):
    """A request with this request line."""
    return text + "\r\nHost: h\r\n\r\n"


def get(fields, host="Host: h\r\n", version="HTTP/1.1"):
    """A GET with these field lines, each with its CRLF."""
    return f"GET {TARGET} {version}\r\n{host}{fields}\r\n"


def post(fields, body=""):
    return f"POST {TARGET} HTTP/1.1\r\nHost: h\r\n{fields}\r\n{body}"


def chunked(body, method="POST"):
    return f"{method} {TARGET} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{body}"


def host_rows():
    refused("Host missing in 1.1", get("", host=""))
    refused("Host twice", get("Host: other\r\n"))
    refused("Host twice and equal", get("Host: h\r\n"))
    refused("Host twice in 1.0", get("Host: h\r\n", version="HTTP/1.0"))
    for what, value in (("userinfo", "user@h"), ("a path", "h/x"), ("a comma", "a,b"),
                        ("a port that is a word", "h:http"), ("a port over 65535", "h:65536"),
                        ("a negative port", "h:-1"), ("a port with a sign", "h:+80"),
                        ("two ports", "h:80:80"), ("a space", "a b"),
                        ("a space in the port", "h: 80"),
                        ("a query", "h?x"), ("a fragment", "h#x"), ("a backslash", "h\\x"),
                        ("an open bracket", "[::1"), ("a bad IPv6 literal", "[::g]"),
                        ("a bad escape", "h%zz"), ("a quote", 'h"')):
        refused(f"Host with {what}", get("", host=f"Host: {value}\r\n"))
    for what, value in (("an empty value", ""), ("a port", "h:8080"), ("IPv4", "127.0.0.1:80"),
                        ("IPv6", "[::1]:80"), ("blanks around it", " \th\t ")):
        served(f"Host with {what}", get("", host=f"Host: {value}\r\n"))
    row("1.0 without Host", get("", host="", version="HTTP/1.0"), (200,), CLOSES)


def target_form_rows():
    served("absolute-form that agrees with Host", line(f"GET http://h{TARGET} HTTP/1.1"))
    served("absolute-form in other case", line(f"GET HTTP://H{TARGET} HTTP/1.1"))
    served("absolute-form without a path", line("GET http://h HTTP/1.1"))
    refused("absolute-form that disagrees with Host", line(f"GET http://g{TARGET} HTTP/1.1"))
    refused("absolute-form with another port", line(f"GET http://h:81{TARGET} HTTP/1.1"))
    refused("absolute-form with userinfo", line(f"GET http://u@h{TARGET} HTTP/1.1"))
    refused("absolute-form without Host", f"GET http://h{TARGET} HTTP/1.1\r\n\r\n")
    refused("absolute-form with an empty authority", line(f"GET http://{TARGET} HTTP/1.1"))
    refused("asterisk with GET", line("GET * HTTP/1.1"))
    refused("asterisk with HEAD", line("HEAD * HTTP/1.1"), 400, "HEAD")
    refused("asterisk with more behind it", line("OPTIONS *x HTTP/1.1"))
    served("asterisk with OPTIONS", line("OPTIONS * HTTP/1.1"), 204, "OPTIONS")
    refused("CONNECT", line("CONNECT h:80 HTTP/1.1"), (405, 501))
    refused("authority-form with GET", line("GET h:80 HTTP/1.1"))
    refused("a target without a slash", line("GET hello.txt HTTP/1.1"))
    refused("an empty target", line("GET  HTTP/1.1"))


def version_rows():
    for version in ("HTTP/1.2", "HTTP/1.9"):
        served(version, line(f"GET {TARGET} {version}"))
    for version in ("HTTP/2.0", "HTTP/3.0", "HTTP/9.9"):
        refused(version, line(f"GET {TARGET} {version}"), 505)
    for version in ("HTTP/1", "HTTP/1.", "HTTP/.1", "HTTP/01.1", "HTTP/1.10", "HTTP/1.1.1",
                    "HTTP/11.1", "HTTP/1.1 junk", "HTTP/1.1junk", "HTTP/1,1", "HTTP/1.x",
                    "http/1.1", "Http/1.1", "HTTP 1.1", "HTTP/ 1.1", "HTTPS/1.1", "1.1", "HTTP"):
        refused(f"version {version}", line(f"GET {TARGET} {version}"))
    refused("version with a blank after it", line(f"GET {TARGET} HTTP/1.1 "))
    refused("version with a tab after it", line(f"GET {TARGET} HTTP/1.1\t"))
    refused("HTTP/0.9 line", f"GET {TARGET}\r\n")
    refused("HTTP/0.9 line with fields", line(f"GET {TARGET}"))
    refused("HTTP/0.9 line with a blank", f"GET {TARGET} \r\n")
    refused("version HTTP/0.9", line(f"GET {TARGET} HTTP/0.9"), (400, 505))


def line_end_rows():
    refused("bare LF after the request line", f"GET {TARGET} HTTP/1.1\nHost: h\r\n\r\n")
    refused("bare CR after the request line", f"GET {TARGET} HTTP/1.1\rHost: h\r\n\r\n")
    refused("bare LF after a field", get("A: b\nC: d\r\n"))
    refused("bare CR after a field", get("A: b\rC: d\r\n"))
    refused("bare LF as the blank line", get("A: b\r\n")[:-2] + "\n")
    refused("bare LFs everywhere", get("A: b\r\n").replace("\r\n", "\n"))
    refused("bare CR as the blank line", get("A: b\r\n")[:-2] + "\rX: y\r\n\r\n")
    refused("CR CR LF", get("A: b\r\r\n"))
    for count in (1, 2):
        served(f"{count} empty lines before the request line", "\r\n" * count + get(""))
    refused("3 empty lines before the request line", "\r\n" * 3 + get(""))
    refused("bare LF before the request line", "\n" + get(""))
    refused("bare CR before the request line", "\r" + get(""))


def request_line_rows():
    refused("tab after the method", line(f"GET\t{TARGET} HTTP/1.1"))
    refused("tab before the version", line(f"GET {TARGET}\tHTTP/1.1"))
    refused("two spaces after the method", line(f"GET  {TARGET} HTTP/1.1"))
    refused("two spaces before the version", line(f"GET {TARGET}  HTTP/1.1"))
    refused("space before the method", line(f" GET {TARGET} HTTP/1.1"))
    refused("tab before the method", line(f"\tGET {TARGET} HTTP/1.1"))
    for what, byte in (("space", " "), ("raw byte 0x80", "\x80"), ("raw byte 0xff", "\xff"),
                       ("fragment", "#"), ("NUL", "\0"), ("control byte", "\x01"), ("DEL", "\x7f"),
                       ("vertical tab", "\v"), ("CR", "\r"), ("LF", "\n")):
        refused(f"{what} in the target", line(f"GET /hello{byte}x HTTP/1.1"))
        refused(f"{what} in the query", line(f"GET {TARGET}?a{byte}x HTTP/1.1"))
    for what, method in (("with a colon", "GET:"), ("with a separator", "G@T"), ("empty", ""),
                         ("with a NUL", "G\0T"), ("non-ASCII", "G\xe9T"), ("quoted", '"GET"')):
        refused(f"method {what}", line(f"{method} {TARGET} HTTP/1.1"), (400, 501))
    row("method of 32 bytes", line("M" * 32 + f" {TARGET} HTTP/1.1"), (501,), EITHER)
    refused("method of 33 bytes", line("M" * 33 + f" {TARGET} HTTP/1.1"), (400, 501))
    refused("method of 1000 bytes", line("M" * 1000 + f" {TARGET} HTTP/1.1"), (400, 501))
    row("method in lower case", line(f"get {TARGET} HTTP/1.1"), (501,), EITHER)


def field_rows():
    for what, lines in (
            ("CR in a value", "A: b\rc\r\n"), ("NUL in a value", "A: b\0c\r\n"),
            ("NUL as a value", "A: \0\r\n"), ("control byte in a value", "A: b\x01c\r\n"),
            ("escape byte in a value", "A: \x1b[2J\r\n"), ("DEL in a value", "A: b\x7fc\r\n"),
            ("vertical tab in a value", "A: b\vc\r\n"), ("form feed before a value", "A:\fb\r\n"),
            ("non-ASCII in a name", "N\xe9: b\r\n"), ("NUL in a name", "N\0: b\r\n"),
            ("control byte in a name", "N\x01: b\r\n"), ("space in a name", "A B: c\r\n"),
            ("separator in a name", "A(B): c\r\n"), ("quote in a name", '"A": c\r\n'),
            ("slash in a name", "A/B: c\r\n"), ("obs-fold with a space", "A: b\r\n c\r\n"),
            ("obs-fold with a tab", "A: b\r\n\tc\r\n"), ("obs-fold of nothing", "A: b\r\n \r\n"),
            ("space before the colon", "A : b\r\n"), ("tab before the colon", "A\t: b\r\n"),
            ("empty name", ": b\r\n"), ("missing colon", "A b\r\n"),
            ("missing colon and value", "A\r\n")):
        refused(what, get(lines))
    refused("space before the first field", get("", host=" Host: h\r\n"))
    refused("tab before the first field", get("", host="\tHost: h\r\n"))
    refused("a line of blanks before the first field", get("", host=" \r\nHost: h\r\n"))
    for what, lines in (
            ("an empty value", "A:\r\n"), ("no blank after the colon", "A:b\r\n"),
            ("blanks and tabs around a value", "A: \t b \t \r\n"),
            ("tab inside a value", "A: b\tc\r\n"),
            ("bytes over 0x80 in a value", "A: caf\xe9\r\n"),
            ("every token byte in a name", "!#$%&'*+-.^_`|~09Az: b\r\n")):
        served(what, get(lines))


def content_length_rows():
    for what, lines, body in (
            ("twice", "Content-Length: 5\r\nContent-Length: 6\r\n", "hello!"),
            ("twice and equal", "Content-Length: 5\r\nContent-Length: 5\r\n", "hello"),
            ("as a list", "Content-Length: 5, 5\r\n", "hello"),
            ("as a list with an empty item", "Content-Length: 5,\r\n", "hello"),
            ("with a plus", "Content-Length: +5\r\n", "hello"),
            ("with a minus", "Content-Length: -5\r\n", "hello"),
            ("empty", "Content-Length:\r\n", ""), ("of blanks", "Content-Length:  \r\n", ""),
            ("with a blank inside", "Content-Length: 1 0\r\n", "hello"),
            ("with a tab inside", "Content-Length: 1\t0\r\n", "hello"),
            ("one past 64 bits", "Content-Length: 18446744073709551616\r\n", ""),
            ("5 past 64 bits", "Content-Length: 18446744073709551621\r\n", "hello"),
            ("of thirty nines", f"Content-Length: {'9' * 30}\r\n", ""),
            ("of 21 digits", "Content-Length: 000000000000000000005\r\n", "hello"),
            ("in hexadecimal", "Content-Length: 0x5\r\n", "hello"),
            ("with a letter", "Content-Length: 5a\r\n", "hello"),
            ("with a fraction", "Content-Length: 5.0\r\n", "hello"),
            ("with a parameter", "Content-Length: 5;a=b\r\n", "hello"),
            ("with a vertical tab", "Content-Length: \v5\r\n", "hello"),
            ("in quotes", 'Content-Length: "5"\r\n', "hello")):
        refused(f"Content-Length {what}", post(lines, body))
    served("Content-Length 0", get("Content-Length: 0\r\n"))
    served("Content-Length of 20 digits", get("Content-Length: 00000000000000000005\r\n") + "hello")


def transfer_encoding_rows():
    body = "5\r\nhello\r\n0\r\n\r\n"
    both = "Content-Length: 15\r\nTransfer-Encoding: chunked\r\n"
    refused("Content-Length, then Transfer-Encoding", post(both, body))
    refused("Transfer-Encoding, then Content-Length",
            post("Transfer-Encoding: chunked\r\nContent-Length: 15\r\n", body))
    refused("Content-Length 0 with Transfer-Encoding",
            post("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", body))
    refused("Content-Length with identity", post("Content-Length: 5\r\n"
                                                 "Transfer-Encoding: identity\r\n", "hello"),
            (400, 501))
    refused("Transfer-Encoding in 1.0",
            post("Transfer-Encoding: chunked\r\n", body).replace("HTTP/1.1", "HTTP/1.0"))
    for value in ("", "chunked, chunked", "chunked,", ",chunked", "chunked, gzip", "chunked;q=1",
                  "chunked junk", "xchunked", "chunkedx", '"chunked"', "\vchunked", "chunked\v",
                  "chun ked", "x", "chunked, identity", "identity, chunked", "identity",
                  "gzip", "gzip, chunked", "deflate", "compress, chunked"):
        refused(f"Transfer-Encoding {value!r}", post(f"Transfer-Encoding: {value}\r\n", body),
                (400, 501))
    twice = "Transfer-Encoding: chunked\r\n" * 2
    refused("Transfer-Encoding twice", post(twice, body))
    refused("Transfer-Encoding twice, the first empty",
            post("Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n", body))
    refused("Transfer-Encoding folded", post("Transfer-Encoding:\r\n chunked\r\n", body))
    refused("Transfer-Encoding with a blank before the colon",
            post("Transfer-Encoding : chunked\r\n", body))
    for value in ("chunked", "CHUNKED", "Chunked", " \tchunked\t "):
        served(f"Transfer-Encoding {value!r}", post(f"Transfer-Encoding: {value}\r\n", body), 405)


def chunk_rows():
    end = "0\r\n\r\n"
    for size in ("0x5", "+5", "-5", "0_5", "5_", " 5", "5 ", "\t5", "5\t", "", "g", "5g", "5.",
                 "5,", "10000000000000000", "fffffffffffffffff", "f" * 40, "5\0", "\xb5"):
        refused(f"chunk size {size!r}", chunked(f"{size}\r\nhello\r\n{end}"))
    for extension in (";", "; ", ";;a", ";=b", ";a=", ";a==b", ';a="b', ';a="b"c', ";a=b c", ";a b",
                      ";a=\x01", ';a="\x01"', ";a\0", ";\x7f", ";a\rb", ";a=b\r", ";a\nb", ";(a)",
                      ";a=b;", ";a=\x80", " ;a"):
        refused(f"chunk extension {extension!r}", chunked(f"5{extension}\r\nhello\r\n{end}"))
        refused(f"extension of the last chunk {extension!r}",
                chunked(f"5\r\nhello\r\n0{extension}\r\n\r\n"))
    refused("chunk size ended by LF", chunked(f"5\nhello\r\n{end}"))
    refused("chunk size ended by CR", chunked(f"5\rhello\r\n{end}"))
    refused("chunk data without CRLF", chunked(f"5\r\nhello{end}"))
    refused("chunk data ended by LF", chunked(f"5\r\nhello\n{end}"))
    refused("chunk data ended by CR", chunked(f"5\r\nhello\r{end}"))
    refused("chunk data longer than its size", chunked(f"4\r\nhello\r\n{end}"))
    refused("last chunk ended by LF", chunked("5\r\nhello\r\n0\n\n"))
    refused("a request where the trailers begin",
            chunked("5\r\nhello\r\n0\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"))
    refused("chunk extension over 4 KiB", chunked(f"5;a={'b' * 4096}\r\nhello\r\n{end}"))
    refused("chunk extensions over 4 KiB together",
            chunked(f"1;a={'b' * 1000}\r\nx\r\n" * 5 + end))
    refused("bad chunk after good ones", chunked("5\r\nhello\r\n" * 20 + "x\r\n"))
    for what, trailer in (("bare LF", "A: b\n"), ("space before the colon", "A : b\r\n"),
                          ("missing colon", "A\r\n"), ("control byte", "A: \x01\r\n"),
                          ("a fold", "A: b\r\n c\r\n")):
        refused(f"trailer with {what}", chunked(f"0\r\n{trailer}\r\n"))
    refused("trailers over 4 KiB", chunked(f"0\r\nA: {'b' * 5000}\r\n\r\n"), (400, 431))
    for what, body in (("one chunk", "5\r\nhello\r\n" + end), ("no data", end),
                       ("a hexadecimal size", "A\r\n0123456789\r\nb\r\n0123456789a\r\n" + end),
                       ("leading zeros", "0005\r\nhello\r\n000\r\n\r\n"),
                       ("an extension", "5;a=b;c\r\nhello\r\n0;d\r\n\r\n"),
                       ("a quoted extension", '5;a="b c;\\"d"\r\nhello\r\n' + end),
                       ("CRLF and chunk lines as data", "7\r\n0\r\n\r\nab\r\n" + end),
                       ("a trailer", "5\r\nhello\r\n0\r\nA: b\r\nC: d\r\n\r\n")):
        served(f"chunked POST with {what}", chunked(body), 405)
        served(f"chunked GET with {what}", chunked(body, "GET"))


def body_rows():
    for method, status in (("GET", 200), ("HEAD", 200), ("OPTIONS", 204), ("POST", 405),
                           ("PUT", 405), ("DELETE", 405), ("PATCH", 405), ("TRACE", 405)):
        head = f"{method} {TARGET} HTTP/1.1\r\nHost: h\r\n"
        served(f"{method} with a body", head + "Content-Length: 5\r\n\r\nhello", status, method)
        served(f"{method} with a chunked body",
               head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", status, method)
        refused(f"{method} with a body over body_max",
                head + f"Content-Length: {BODY_MAX_BYTES + 1}\r\n\r\n", 413, method)
        refused(f"{method} with a bad chunk",
                head + "Transfer-Encoding: chunked\r\n\r\nx\r\n", 400, method)
    whole = "x" * BODY_MAX_BYTES
    served("a body of body_max", post(f"Content-Length: {BODY_MAX_BYTES}\r\n", whole), 405)
    served("a chunked body of body_max",
           chunked(f"{BODY_MAX_BYTES:x}\r\n{whole}\r\n0\r\n\r\n"), 405)
    refused("a chunked body over body_max",
            chunked(f"{BODY_MAX_BYTES:x}\r\n{whole}\r\n1\r\nx\r\n0\r\n\r\n"), 413)
    refused("a body of 63 bits", post("Content-Length: 9223372036854775807\r\n", "x"), 413)
    refused("a body of 64 bits", post("Content-Length: 18446744073709551615\r\n", "x"), (400, 413))


def expectation_rows():
    served("Expect: 100-continue, body at once",
           post("Content-Length: 5\r\nExpect: 100-continue\r\n", "hello"), 405)
    served("Expect: 100-continue in other case, body at once",
           post("Content-Length: 5\r\nExpect: 100-Continue\r\n", "hello"), 405)
    served("Expect: 100-continue without a body", get("Expect: 100-continue\r\n"))
    row("another expectation", get("Expect: tea\r\n"), (417,), EITHER)
    row("another expectation, too", get("Expect: 100-continue, tea\r\n"), (417,), EITHER)
    refused("Expect: 100-continue with a body over body_max",
            post(f"Content-Length: {BODY_MAX_BYTES + 1}\r\nExpect: 100-continue\r\n"), 413)


def limit_rows():
    rest = len(f"GET {TARGET}? HTTP/1.1")
    query = "q" * (REQUEST_LINE_MAX_BYTES - rest)
    served("request line of 8 KiB", line(f"GET {TARGET}?{query} HTTP/1.1"))
    refused("request line over 8 KiB", line(f"GET {TARGET}?{query}q HTTP/1.1"), 414)
    refused("request line of 20 KiB", line(f"GET /{'q' * 20000} HTTP/1.1"), 414)
    refused("request line without end", f"GET /{'q' * 20000}", 414)
    value = "v" * (FIELDS_MAX_BYTES - len("Host: h\r\nA: \r\n"))
    served("one field that fills 32 KiB", get(f"A: {value}\r\n"))
    refused("one field over 32 KiB", get(f"A: {value}v\r\n"), 431)
    refused("a value of 40000 bytes", get(f"A: {'v' * 40000}\r\n"), 431)
    refused("a value without end", get(f"A: {'v' * 40000}")[:-2], 431)
    refused("a name of 40000 bytes", get(f"{'n' * 40000}: v\r\n"), 431)
    lines = f"A: {'v' * 995}\r\n"
    served("fields of less than 32 KiB together", get(lines * 32))
    refused("fields over 32 KiB together", get(lines * 33), 431)
    served("100 fields", get("A: b\r\n" * 99))
    refused("101 fields", get("A: b\r\n" * 100), 431)


def stranger_rows():
    refused("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    refused("TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) * 2)
    refused("every byte value", bytes(range(256)))
    refused("every byte value, falling", bytes(range(255, -1, -1)))
    refused("NULs", b"\0" * 64)
    refused("SSH banner", "SSH-2.0-OpenSSH_9.2\r\n")
    refused("SOCKS5 greeting", b"\x05\x01\x00")
    refused("a PROXY line", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + get(""))
    refused("a PROXY v2 signature", b"\r\n\r\n\x00\r\nQUIT\n" + b"\x21\x11\x00\x0c" + bytes(12))


def connection_token_rows():
    for what, lines in (
            ("Upgrade to h2c", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                               "HTTP2-Settings: AAMAAABkAAQAAP__\r\n"),
            ("Upgrade to websocket", "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
            ("an unknown connection token", "Connection: x-thing\r\nX-Thing: 1\r\n"),
            ("Connection that names Host", "Connection: host\r\n"),
            ("hop-by-hop fields", "TE: trailers\r\nKeep-Alive: timeout=5\r\nTrailer: X\r\n"
                                  "Proxy-Connection: close\r\n")):
        served(what, get(lines))


for rows in (host_rows, target_form_rows, version_rows, line_end_rows, request_line_rows,
             field_rows, content_length_rows, transfer_encoding_rows, chunk_rows, body_rows,
             expectation_rows, limit_rows, stranger_rows, connection_token_rows):
    rows()
