"""Rules and what is found: an index or an item of try is guarded by the rules for its own path,
too, and found beneath the root where that path lies."""

import base64
import os

import harness
from harness import Server, equal, test

# openssl passwd -5 -salt gyre letmein
HASH = "$5$gyre$VTi3RUnp2ME9Jbg2quFmLb8AQ6HoBJNNFNhd6D9j9o5"
TREE = {"admin/index.html": b"secret\n", "plain/index.html": b"plain\n", "page.html": b"page\n",
        "docs.html": b"about the docs\n", "hidden/index.html": b"hidden\n"}


def start():
    folder = harness.temporary_directory()
    users = os.path.join(folder, "users")
    harness.write_file(users, f"anna:{HASH}\n".encode())
    docs = harness.make_tree({"index.html": b"docs\n", ".html": b"a dot file\n"})
    ini = f"""
[files]
try = $uri $uri.html $uri/index.html
[mount /docs/]
root = {docs}
[path /admin/]
auth = {users}
auth_realm = admins
[path /hidden/]
deny = hide
[path /page.html]
deny = on
"""
    return Server(harness.make_tree(TREE), ini)


def get(target, *fields):
    return harness.shared(start).get(target, fields=fields)


def credentials(user, password):
    return "Authorization: Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@test
def an_item_of_try_does_not_get_past_a_password():
    for target in ("/admin", "/admin/", "/admin/index.html"):
        for _ in range(2):
            response = get(target)
            equal(response.status, 401, target)
            equal("admins" in response.fields["www-authenticate"], True, target)
            equal(get(target, credentials("anna", "wrong")).status, 401, target)
            equal(get(target, credentials("anna", "letmein")).body, b"secret\n", target)
    equal(get("/plain").body, b"plain\n")


@test
def an_item_of_try_does_not_get_past_a_denial():
    for target, status in (("/hidden", 404), ("/hidden/", 404), ("/page", 403),
                           ("/page.html", 403)):
        equal(get(target).status, status, target)


@test
def an_item_of_try_is_found_beside_a_mount_of_its_name():
    equal(get("/docs").body, b"about the docs\n")
    equal(get("/docs/").body, b"docs\n")


if __name__ == "__main__":
    harness.main()
