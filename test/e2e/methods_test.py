"""Methods: RFC 9110 section 9. GET, HEAD and OPTIONS are served, the rest is refused politely."""

import harness
from harness import Server, equal, one_of, test, truth

HELLO = b"hello, methods\n"
VARYING = ("date",)


def start():
    return Server(harness.make_tree({"hello.txt": HELLO, "dir/index.html": b"index\n",
                                     "bare/x.txt": b"x", "big.bin": harness.pattern_bytes(300000)}))


def ask(target="/hello.txt", method="GET", **keywords):
    with harness.shared(start).connect() as client:
        response = client.get(target, method=method, **keywords)
        if not response.closes:
            client.assert_open("/hello.txt")
        client.finish()
        client.assert_closed()
        return response


@test
def get_sends_the_file():
    response = ask()
    equal(response.status, 200)
    equal(response.body, HELLO)


@test
def head_has_the_head_of_get_and_no_body():
    for target in ("/hello.txt", "/dir/", "/big.bin", "/dir", "/missing", "/bare/", "/%zz",
                   "/../x"):
        get, head = ask(target), ask(target, "HEAD")
        equal(head.status, get.status, target)
        equal({k: v for k, v in head.fields.items() if k not in VARYING},
              {k: v for k, v in get.fields.items() if k not in VARYING}, f"fields of {target}")
        equal(list(head.fields), list(get.fields), f"order of the fields of {target}")
        equal(head.body, b"")


@test
def options_tells_what_is_allowed():
    for target in ("/hello.txt", "*", "/missing", "/dir"):
        response = ask(target, "OPTIONS")
        equal(response.status, 204, target)
        equal(response.fields.get("allow"), "GET, HEAD, OPTIONS", target)


@test
def other_known_methods_get_405_with_allow():
    for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "MKCOL", "LOCK",
                   "REPORT"):
        response = ask(method=method)
        equal(response.status, 405, method)
        equal(response.fields.get("allow"), "GET, HEAD, OPTIONS", method)


@test
def a_405_keeps_the_connection():
    truth(not ask(method="POST").closes, "405 ended the connection")


@test
def trace_reflects_nothing():
    response = ask(method="TRACE", fields=["X-Secret: 4f6e2c"])
    truth(b"4f6e2c" not in response.raw + response.body, "TRACE reflected the request")


@test
def unknown_tokens_get_501():
    for method in ("BREW", "get", "Get", "GETT", "GE", "G", "X-Y", "head", "OPTION"):
        equal(ask(method=method).status, 501, method)


@test
def what_is_no_token_is_refused():
    for method in ("G=T", "GET,", "(GET)", "GE[T"):
        one_of(ask(method=method).status, (400, 501), method)


@test
def methods_do_not_depend_on_the_file():
    for target in ("/missing", "/dir/", "/bare/", "/"):
        equal(ask(target, "POST").status, 405, target)


if __name__ == "__main__":
    harness.main()
