"""The command line: what others script against. Options, messages, exit statuses, listeners."""

import os
import signal
import socket
import subprocess

import harness
from harness import Server, Skip, contains, equal, run_gyre, test, truth
from wire import Client

HELLO = b"hello, command line\n"


def tree():
    return harness.make_tree({"hello.txt": HELLO, "index.html": b"index\n"})


def ini_file(text):
    path = harness.temporary_directory() + "/test.ini"
    harness.write_file(path, text.encode())
    return path


def assert_refused(result, status, *patterns):
    equal(result.returncode, status, f"exit status; stderr: {result.stderr!r}")
    equal(result.stdout, "", "stdout of a failure")
    for pattern in patterns:
        contains(result.stderr, pattern, "stderr")


# --- options that do not serve --------------------------------------------------------------------

@test
def help_is_printed():
    for option in ("-h", "--help"):
        result = run_gyre(option)
        equal((result.returncode, result.stderr), (0, ""))
        for word in ("usage", "-c", "-l", "-w", "-t", "-V", "DIR", "unix:"):
            contains(result.stdout, word)


@test
def the_version_is_printed():
    for option in ("-V", "--version"):
        result = run_gyre(option)
        equal((result.returncode, result.stderr), (0, ""))
        contains(result.stdout, r"^gyre \d+\.\d+")


@test
def a_good_configuration_is_printed_as_understood():
    path = ini_file("[server]\nworkers = 3\n[timeouts]\nhead = 7s\n[types]\n.foo = text/x-foo\n")
    result = run_gyre("-c", path, "-t", tree())
    equal((result.returncode, result.stderr), (0, ""))
    for pattern in (r"workers = 3\b", r"head = 7(s|000ms)\b", r"\.foo = text/x-foo", r"\[ring\]"):
        contains(result.stdout, pattern)


@test
def what_is_printed_reads_back_as_the_same():
    path = ini_file("[server]\nworkers = 3\nconnections_max = 77\n[files]\nindex = a.html b.html\n"
                    "symlinks = all\n[types]\n.foo = text/x-foo\n[errors]\n404 = /404.html\n")
    first = run_gyre("-c", path, "-t", "-l", "127.0.0.1:0", tree())
    equal(first.returncode, 0, first.stderr)
    second = run_gyre("-c", ini_file(first.stdout), "-t")
    equal((second.returncode, second.stdout), (0, first.stdout))


@test
def the_sample_configuration_is_good():
    path = os.path.join(harness.REPOSITORY, "conf/gyre.ini")
    result = run_gyre("-c", path, "-t", tree())
    equal((result.returncode, result.stderr), (0, ""))


@test
def unknown_options_are_refused():
    for arguments in (["-x"], ["--nope"], ["-c"], ["-l"], ["-w"], ["--help=x"], ["-w", "0"],
                      ["-w", "many"], ["-w", "-1"], ["-w", "257"], ["-l", "nowhere"],
                      ["-l", "127.0.0.1:65536"], ["-l", "127.0.0.1:x"], ["-l", "[::1:80"],
                      ["-l", "unix:"], ["-l", "unix:" + "p" * 200], ["-l", ""], ["a", "b"], [""]):
        result = run_gyre(*arguments)
        assert_refused(result, 2, "^gyre: ")
        truth(len(result.stderr) < 1000, "a usage error is to be short")


# --- configuration errors -------------------------------------------------------------------------

@test
def every_error_of_a_configuration_is_named_with_its_line():
    path = ini_file("key = out of a section\n[server]\nworkers = many\nnope = 1\n[nowhere]\nx = 1\n"
                    "[timeouts]\nhead = 10\n\n; fine\nbody = -5s\n[files]\nsymlinks = sometimes\n"
                    "[types]\nfoo = bar\n[errors]\n200 = /x\nnot a line\n")
    for extra in ([], ["-t"]):
        result = run_gyre("-c", path, *extra, tree())
        equal(result.returncode, 2, result.stderr)
        for line in (1, 3, 4, 5, 8, 11, 13, 15, 17, 18):
            contains(result.stderr, rf"(?m)^gyre: {path}:{line}: \S")
        truth(f"{path}:10:" not in result.stderr, "a comment is no error")


@test
def a_configuration_that_cannot_be_read_is_refused():
    assert_refused(run_gyre("-c", "/nonexistent/gyre.ini", "-t"), 2, "nonexistent", "no such")
    assert_refused(run_gyre("-c", harness.temporary_directory(), "-t"), 2, "directory")


# --- what cannot be served ------------------------------------------------------------------------

@test
def a_directory_that_does_not_exist_is_refused():
    assert_refused(run_gyre("-l", "127.0.0.1:0", "/nonexistent"), 1, "/nonexistent", "no such")


@test
def a_file_is_not_served_as_a_directory():
    path = os.path.join(tree(), "hello.txt")
    assert_refused(run_gyre("-l", "127.0.0.1:0", path), 1, path, "not a directory")


@test
def a_port_in_use_is_named():
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            taken = socket.create_server((host, 0), family=family)
        except OSError:
            continue
        with taken:
            port = taken.getsockname()[1]
            address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            assert_refused(run_gyre("-l", address, tree()), 1, f":{port}", "in use")
            result = run_gyre("-l", "127.0.0.1:0", "-l", address, tree())
            equal(result.returncode, 1, "with a good listener before it")


@test
def another_gyre_on_the_same_port_is_an_error():
    with Server(tree()) as server:
        assert_refused(run_gyre("-l", f"127.0.0.1:{server.port}", tree()), 1, "in use")
        equal(server.get("/hello.txt").body, HELLO)


@test
def an_address_of_another_host_is_refused():
    assert_refused(run_gyre("-l", "192.0.2.1:0", tree()), 1, "192.0.2.1")


# --- listeners ------------------------------------------------------------------------------------

def assert_serves(address):
    with Client(address) as client:
        equal(client.get("/hello.txt").body, HELLO, f"answer at {address}")


def require_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        raise Skip(f"no IPv6 here: {error}") from None


@test
def the_line_of_a_listener_names_directory_and_address():
    root = tree()
    with Server(root) as server:
        contains(server.stdout.text(), rf"^gyre: serving \S+ at {server.url}/\n$")
        truth(root in server.stdout.text(), f"{root} is not named: {server.stdout.text()}")


@test
def an_address_may_be_named_localhost():
    with Server(tree(), listen=["localhost:0"]) as server:
        assert_serves((socket.AF_INET, ("127.0.0.1", server.address[1][1])))


@test
def ipv6_is_served():
    require_ipv6()
    with Server(tree(), listen=["[::1]:0"]) as server:
        contains(server.stdout.text(), r"at http://\[::1\]:\d+/\n")
        assert_serves(server.address)


@test
def an_ipv6_listener_leaves_ipv4_alone():
    require_ipv6()
    with Server(tree(), listen=["[::]:0"]) as server:
        port = server.address[1][1]
        assert_serves((socket.AF_INET6, ("::1", port, 0, 0)))
        try:
            Client((socket.AF_INET, ("127.0.0.1", port))).close()
        except ConnectionRefusedError:
            return
        raise AssertionError("[::] answers IPv4, too")


@test
def a_star_is_dual_stack():
    require_ipv6()
    for address in ("*:0", ":0"):
        with Server(tree(), listen=[address]) as server:
            port = server.address[1][1]
            assert_serves((socket.AF_INET, ("127.0.0.1", port)))
            assert_serves((socket.AF_INET6, ("::1", port, 0, 0)))


@test
def several_listeners_serve_at_once():
    path = harness.temporary_directory() + "/gyre.sock"
    listen = ["127.0.0.1:0", "127.0.0.1:0", "127.0.0.2:0", f"unix:{path}"]
    with Server(tree(), listen=listen) as server:
        equal(len(set(server.addresses)), 4, "different addresses")
        for address in server.addresses:
            assert_serves(address)


@test
def listeners_of_the_file_are_served_and_the_command_line_replaces_them():
    ini = "[server]\nlisten = 127.0.0.1:0\nlisten = 127.0.0.1:0\n"
    with Server(tree(), ini, listen=[], expected_listeners=2) as server:
        for address in server.addresses:
            assert_serves(address)
    with Server(tree(), ini, listen=["127.0.0.2:0"]) as server:
        equal([address[1][0] for address in server.addresses], ["127.0.0.2"])
        assert_serves(server.address)


@test
def a_unix_socket_is_served_and_removed_at_the_end():
    path = harness.temporary_directory() + "/gyre.sock"
    with Server(tree(), listen=[f"unix:{path}"]) as server:
        contains(server.stdout.text(), path)
        assert_serves((socket.AF_UNIX, path))
        with Client((socket.AF_UNIX, path)) as client:
            client.send(b"GET /hello.txt HTTP/1.1\r\nHost: h\r\n\r\n" * 20)
            for _ in range(20):
                equal(client.read_response().body, HELLO)
    truth(not os.path.lexists(path), "the socket file is left behind")


@test
def curl_reads_a_unix_socket():
    curl = harness.require("curl")
    path = harness.temporary_directory() + "/gyre.sock"
    with Server(tree(), listen=[f"unix:{path}"]):
        result = subprocess.run([curl, "-sS", "--unix-socket", path, "http://gyre/hello.txt"],
                                capture_output=True, check=False)
        equal((result.returncode, result.stdout), (0, HELLO), result.stderr.decode())


@test
def a_stale_unix_socket_is_replaced():
    path = harness.temporary_directory() + "/gyre.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(path)
    with Server(tree(), listen=[f"unix:{path}"]):
        assert_serves((socket.AF_UNIX, path))


@test
def a_unix_socket_in_use_is_not_taken_over():
    path = harness.temporary_directory() + "/gyre.sock"
    with Server(tree(), listen=[f"unix:{path}"]):
        assert_refused(run_gyre("-l", f"unix:{path}", tree()), 1, path)
        assert_serves((socket.AF_UNIX, path))


@test
def a_file_in_the_place_of_a_unix_socket_is_left_alone():
    path = os.path.join(tree(), "hello.txt")
    assert_refused(run_gyre("-l", f"unix:{path}", tree()), 1, path)
    with open(path, "rb") as file:
        equal(file.read(), HELLO)


@test
def the_current_directory_is_the_default():
    with Server(".", cwd=tree()) as server:
        equal(server.get("/hello.txt").body, HELLO)
    path = ini_file("[server]\nlisten = 127.0.0.1:0\n")
    root = tree()
    process = subprocess.Popen([harness.GYRE, "-c", path], cwd=root, stdout=subprocess.PIPE)
    try:
        line = harness.Output(process.stdout).wait_for_match(r" at http://127.0.0.1:(\d+)/")
        assert_serves((socket.AF_INET, ("127.0.0.1", int(line.group(1)))))
    finally:
        process.send_signal(signal.SIGTERM)
        equal(process.wait(20), 0)


@test
def the_root_of_the_file_is_served():
    with Server(tree(), {"root": tree()}) as server:
        equal(server.get("/hello.txt").body, HELLO)


@test
def workers_are_started_as_asked():
    for count in (1, 2, 5):
        with Server(tree(), args=["-w", str(count)]) as server:
            for _ in range(10):
                equal(server.get("/hello.txt").body, HELLO)
            threads = len(os.listdir(f"/proc/{server.pid}/task"))
            truth(count <= threads <= 3 * count + 3, f"{threads} threads for {count} workers")


if __name__ == "__main__":
    harness.main()
