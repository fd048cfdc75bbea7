"""Hosts: which site answers to which name, and that sites never mix."""

import harness
from harness import contains, equal, shared, test
from sites import serve, wait_for_cached

NAMES = ("one", "two", "wild", "other")


def roots():
    """A root for each name, with the same paths in all of them."""
    return {name: harness.make_tree({"index.html": f"index of {name}\n".encode(),
                                     "same.txt": f"{name}\n".encode(),
                                     "404.html": f"missing from {name}\n".encode(),
                                     f"only-{name}.txt": b"here\n"}) for name in NAMES}


def text_of(root, with_default=True):
    default = f"[host default]\nroot = {root['other']}\n" if with_default else ""
    return f"""[errors]
404 = /404.html
[host one.example 192.0.2.1 [::1] [2001:db8::a]]
root = {root["one"]}
[host two.example www.two.example]
root = {root["two"]}
[host *.one.example *.deep.wild.example]
root = {root["wild"]}
{default}"""


def start():
    return serve({"same.txt": b"server\n"}, text_of(roots()))


def name_at(host, target="/same.txt", server=None, **keywords):
    response = (server or shared(start)).get(target, fields=(f"Host: {host}",), **keywords)
    equal(response.status, 200, host)
    return response.body.decode().strip()


HOSTS = (
    ("one.example", "one"), ("two.example", "two"), ("www.two.example", "two"),
    # Nobody's: the default.
    ("unknown.example", "other"), ("", "other"), ("one.example.org", "other"),
    ("xone.example", "other"), ("two", "other"), ("x.two.example", "other"), ("*", "other"),
    # Case, port, trailing dot.
    ("ONE.Example", "one"), ("one.example:80", "one"), ("one.example:8443", "one"),
    ("One.EXAMPLE.:80", "one"), ("one.example.", "one"), ("one.example:", "one"),
    # A star stands for one label or more, never for none.
    ("a.one.example", "wild"), ("a.b.one.example", "wild"), ("A.One.Example.:81", "wild"),
    ("x.deep.wild.example", "wild"), ("deep.wild.example", "other"), ("wild.example", "other"),
    (".one.example", "other"),
    # Addresses.
    ("192.0.2.1", "one"), ("192.0.2.1:8080", "one"), ("192.0.2.10", "other"), ("[::1]", "one"),
    ("[::1]:8080", "one"), ("[2001:DB8::A]", "one"), ("[2001:db8::b]", "other"),
)


@test
def a_site_answers_to_its_names():
    for host, name in HOSTS:
        equal(name_at(host), name, f"Host: {host}")


@test
def without_a_default_unknown_hosts_get_the_root_of_the_server():
    with serve({"same.txt": b"server\n"}, text_of(roots(), with_default=False)) as server:
        for host, name in HOSTS:
            expected = "server" if name == "other" else name
            equal(name_at(host, server=server), expected, f"Host: {host}")


@test
def http_1_0_without_a_host_gets_the_default():
    equal(shared(start).get("/same.txt", version="HTTP/1.0").body, b"other\n")
    equal(name_at("one.example", version="HTTP/1.0"), "one")


@test
def an_absolute_target_names_the_host():
    for authority, name in (("one.example", "one"), ("ONE.example:80", "one"),
                            ("a.one.example", "wild"), ("[::1]:8080", "one")):
        equal(name_at(authority, f"http://{authority}/same.txt"), name, authority)


@test
def an_absolute_target_names_the_host_of_http_1_0():
    response = shared(start).get("http://two.example/same.txt", version="HTTP/1.0")
    equal(response.body, b"two\n")


@test
def a_host_that_contradicts_the_target_is_refused():
    response = shared(start).get("http://one.example/same.txt", fields=("Host: two.example",))
    equal(response.status, 400)


@test
def caches_of_two_hosts_do_not_mix():
    server = shared(start)
    for host in ("one.example", "two.example", "a.one.example", "unknown"):
        wait_for_cached(server, "/same.txt", (f"Host: {host}",))
    with server.connect() as client:
        for _ in range(3):
            for host, name in HOSTS:
                fields = (f"Host: {host}",)
                equal(client.get("/same.txt", fields=fields).body, f"{name}\n".encode(), host)
                equal(client.get("/", fields=fields).body, f"index of {name}\n".encode(), host)


@test
def a_tag_of_one_host_is_not_the_others():
    server = shared(start)
    tags = {server.get("/same.txt", fields=(f"Host: {host}",)).fields["etag"]
            for host in ("one.example", "two.example", "a.one.example", "unknown")}
    equal(len(tags), 4, f"tags: {tags}")


@test
def a_file_of_one_host_is_missing_from_another():
    server = shared(start)
    for host, name in (("one.example", "one"), ("two.example", "two"), ("unknown", "other")):
        for other in NAMES:
            response = server.get(f"/only-{other}.txt", fields=(f"Host: {host}",))
            equal(response.status, 200 if other == name else 404, f"{other} of {host}")


@test
def the_page_of_an_error_comes_from_the_hosts_own_root():
    server = shared(start)
    for _ in range(2):
        for host, name in (("one.example", "one"), ("two.example", "two"), ("unknown", "other")):
            response = server.get("/missing", fields=(f"Host: {host}",))
            equal((response.status, response.body), (404, f"missing from {name}\n".encode()), host)


@test
def hosts_share_a_connection():
    with shared(start).connect() as client:
        for host, _ in HOSTS:
            client.request("/same.txt", fields=(f"Host: {host}",))
        for host, name in HOSTS:
            equal(client.read_response().body, f"{name}\n".encode(), f"Host: {host}")


@test
def a_host_may_go_without_a_root_of_its_own():
    text = "[host plain.example]\n[path /**]\nheader = X-Site: plain\n"
    with serve({"a.txt": b"server\n"}, text) as server:
        response = server.get("/a.txt", fields=("Host: plain.example",))
        equal((response.body, response.fields.get("x-site")), (b"server\n", "plain"))
        response = server.get("/a.txt", fields=("Host: other.example",))
        equal((response.body, response.fields.get("x-site")), (b"server\n", None))


@test
def a_rule_of_one_host_is_not_the_others():
    root = roots()
    text = f"""[path /same.txt]
header = X-Where: everywhere
[host one.example]
root = {root["one"]}
[path /same.txt]
header = X-Where: one
deny = off
[host two.example]
root = {root["two"]}
[path /same.txt]
deny = on
"""
    with serve({"same.txt": b"server\n"}, text) as server:
        for host, status, where in (("one.example", 200, "one"), ("two.example", 403, "everywhere"),
                                    ("unknown", 200, "everywhere")):
            response = server.get("/same.txt", fields=(f"Host: {host}",))
            equal((response.status, response.fields["x-where"]), (status, where), host)


@test
def a_slash_redirect_does_not_name_the_host():
    tree = harness.make_tree({"dir/index.html": b"x"})
    with serve({"a": b"a"}, f"[host one.example]\nroot = {tree}\n") as server:
        response = server.get("/dir", fields=("Host: one.example",))
        equal(response.status, 301)
        contains(response.fields["location"], "^(\\./|/)?dir/$")


@test
def sixty_four_hosts_with_five_hundred_names():
    trees = [harness.make_tree({"n.txt": str(i).encode()}) for i in range(64)]
    sections = [f"[host {' '.join(f'n{j}.h{i}.example' for j in range(8))}]\nroot = {tree}\n"
                for i, tree in enumerate(trees)]
    with serve({"n.txt": b"default"}, "".join(sections)) as server, server.connect() as client:
        for i in range(64):
            for j in range(8):
                response = client.get("/n.txt", fields=(f"Host: n{j}.h{i}.example",))
                equal(response.body, str(i).encode(), f"n{j}.h{i}.example")
        equal(client.get("/n.txt", fields=("Host: n8.h0.example",)).body, b"default")


if __name__ == "__main__":
    harness.main()
