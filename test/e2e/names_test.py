"""Names with a dot, and symbolic links: what each setting serves, lists and refuses."""

import json
import os

import harness
from harness import equal, test, truth
from sites import serve, wait_for_cached

DOTS = (".env", ".git/config", "d/.hidden", "d/.dir/x", ".well-known/x", ".well-known/.x",
        "d/.well-known/x", "...", "..x", "x.y", "d./x")
# What is served with dotfiles = deny.
OPEN = (".well-known/x", "x.y", "d./x")


def names(server, target):
    listing = json.loads(server.get(f"{target}?format=json").body)
    return [item["name"] for item in listing["entries"]]


# --- dotfiles -------------------------------------------------------------------------------------

@test
def names_with_a_dot_are_served_as_the_key_says():
    for choice in ("", "deny", "unlisted", "show"):
        text = "[files]\nlisting = on\n" + (f"dotfiles = {choice}\n" if choice else "")
        with serve({name: name.encode() for name in DOTS}, text) as server:
            for name in DOTS:
                expected = 200 if choice in ("unlisted", "show") or name in OPEN else 404
                equal(server.get(f"/{name}").status, expected, f"{name}, {choice}")
                escaped = name.replace(".", "%2e")
                equal(server.get(f"/{escaped}").status, expected, f"{escaped}, {choice}")


@test
def names_with_a_dot_are_listed_only_where_they_are_shown():
    for choice, listed in (("deny", False), ("unlisted", False), ("show", True)):
        text = f"[files]\nlisting = on\ndotfiles = {choice}\n"
        with serve({name: b"x" for name in DOTS}, text) as server:
            for target, name in (("/", ".env"), ("/", ".git"), ("/d/", ".hidden"), ("/", "...")):
                equal(name in names(server, target), listed, f"{name} with {choice}")
            truth("x.y" in names(server, "/"), choice)


@test
def a_denied_directory_is_neither_redirected_nor_listed():
    with serve({".git/config": b"x", ".well-known/x": b"x"}, "[files]\nlisting = on\n") as server:
        for target, status in (("/.git", 404), ("/.git/", 404), ("/.well-known", 301),
                               ("/.well-known/", 200), ("/.git/../x", 404), ("/.git/missing", 404)):
            equal(server.get(target).status, status, target)


@test
def no_other_name_leads_to_one_with_a_dot():
    text = "[files]\ntry = $uri $uri.html $uri/\n"
    with serve({".git/config": b"secret", "d/x": b"x", ".html": b"secret"}, text) as server:
        for target in ("/.git/config", "//.git/config", "/d/../.git/config", "/%2egit/config",
                       "/d/%2e%2e/.git/config", "/d/..%2f.git/config", "/.html", "/.git%2fconfig"):
            truth(b"secret" not in server.get(target).body, target)


@test
def a_mount_may_lie_below_a_name_without_a_dot_only():
    inner = harness.make_tree({".env": b"secret", "x": b"x", ".well-known/y": b"y"})
    with serve({"a": b"a"}, f"[mount /m/]\nroot = {inner}\n") as server:
        for target, status in (("/m/x", 200), ("/m/.env", 404), ("/m/.well-known/y", 404)):
            equal(server.get(target).status, status, target)


# --- symlinks -------------------------------------------------------------------------------------

LINKS = {"file": "real/x", "folder": "real", "chain": "file", "outside": None, "absolute": None,
         "up": "..", "dangling": "nowhere", "self": "self", "real/back": "../top"}
SERVED = {
    "within": {"/file", "/folder/x", "/chain", "/real/back"},
    "none": set(),
    "all": {"/file", "/folder/x", "/chain", "/real/back", "/outside", "/absolute"},
}


def linked_tree():
    around = harness.make_tree({"out.txt": b"outside", "root/real/x": b"x", "root/top": b"top"})
    root = os.path.join(around, "root")
    for name, target in LINKS.items():
        if target is not None:
            os.symlink(target, os.path.join(root, name))
    os.symlink("../out.txt", os.path.join(root, "outside"))
    os.symlink(os.path.join(around, "out.txt"), os.path.join(root, "absolute"))
    return root


@test
def links_are_followed_as_the_key_says():
    targets = ("/file", "/folder/x", "/chain", "/real/back", "/outside", "/absolute", "/dangling",
               "/self", "/up/out.txt")
    for choice, served in SERVED.items():
        root = linked_tree()
        with harness.Server(root, f"[files]\nsymlinks = {choice}\n") as server:
            for _ in range(2):
                for target in targets:
                    is_served = target in served or (choice == "all" and target == "/up/out.txt")
                    equal(server.get(target).status, 200 if is_served else 404,
                          f"{target} with {choice}")
                equal(server.get("/real/x").status, 200, choice)


@test
def a_default_stays_within_the_root():
    with harness.Server(linked_tree()) as server:
        equal(server.get("/file").status, 200)
        equal(server.get("/outside").status, 404)


@test
def links_are_listed_where_they_are_served():
    for choice, served in SERVED.items():
        text = f"[files]\nlisting = on\nsymlinks = {choice}\n"
        with harness.Server(linked_tree(), text) as server:
            got = names(server, "/")
            for name in ("file", "chain", "outside", "absolute"):
                equal(name in got, f"/{name}" in served, f"{name} with {choice}")
            equal("folder" in got, choice != "none", choice)
            truth("dangling" not in got and "self" not in got, f"{choice}: {got}")


@test
def a_link_that_is_turned_shows_at_the_next_request():
    """As deploy tools do it: releases beside each other, and a link that says which one holds."""
    tree = {f"releases/{i}/index.html": f"release {i}".encode() for i in range(6)}
    root = harness.make_tree(tree)
    link = os.path.join(root, "current")
    os.symlink("releases/0", link)
    with harness.Server(root, "[cache]\nrevalidate = 1h\n") as server:
        wait_for_cached(server, "/current/")
        for i in range(6):
            os.symlink(f"releases/{i}", link + "~")
            os.rename(link + "~", link)
            equal(server.get("/current/").body, f"release {i}".encode())
            equal(server.get("/current/index.html").body, f"release {i}".encode())


@test
def a_link_out_of_a_mount_is_no_way_into_the_servers_root():
    inner = harness.make_tree({"x": b"x"})
    server_root = harness.make_tree({"secret.txt": b"secret"})
    os.symlink(os.path.join(server_root, "secret.txt"), os.path.join(inner, "absolute"))
    with harness.Server(server_root, f"[mount /m/]\nroot = {inner}\n") as server:
        equal(server.get("/m/absolute").status, 404)
        equal(server.get("/m/x").status, 200)


if __name__ == "__main__":
    harness.main()
