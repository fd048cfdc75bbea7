"""The watch under load: order, overflow, bounds, and many changes amid many requests."""

import contextlib
import ctypes
import mmap
import os
import signal

import harness
from harness import replace_file, truth
from watched import MANY, THREE_WAYS, body_of, edit_file, files, judge, scenario
from wire import request_bytes

WATCHES_MAX = 4096  # server/limits.h
DIRECTORIES = 5000
SETS = 3  # of directories, each more than can be watched
PATHS = 14
DEPTH = 300
REQUESTS = 20_000
CHANGES = 1000
BEGUN, DONE = 0, 1  # the counters of changes


# --- many events ----------------------------------------------------------------------------------

def stop_process(server):
    """Returns when every thread has stopped."""
    server.signal(signal.SIGSTOP)
    folder = f"/proc/{server.pid}/task"

    def has_stopped(thread):
        with open(f"{folder}/{thread}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] == "T"
    harness.wait_until(lambda: all(map(has_stopped, os.listdir(folder))), "the server has stopped")


@scenario(files(30), (*THREE_WAYS, "with_sqpoll"))
def a_request_whose_end_is_sent_after_the_change_is_answered_with_it(site, folder, targets):
    """More connections than the kernel serves at once: the event may come behind their bytes."""
    clients = [site.server.connect() for _ in range(60)]
    for i, target in enumerate(targets):
        request = request_bytes(target)
        for client in clients:
            client.get(target)
        stop_process(site.server)
        for client in clients:
            client.send(request[:10])
        edit_file(f"{folder}/{i}.txt", body_of(i + 1))
        for client in clients:
            client.send(request[10:])
        site.server.signal(signal.SIGCONT)
        for number, client in enumerate(clients):
            judge(client.read_response(), body_of(i + 1), f"{target}, connection {number}")
    for client in clients:
        client.close()


@contextlib.contextmanager
def other_process(function, *arguments):
    """Runs beside, and ends with the block at the latest."""
    child = os.fork()
    if child == 0:
        try:
            function(*arguments)
        finally:
            os._exit(0)
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def max_queued_events():
    with open("/proc/sys/fs/inotify/max_queued_events", encoding="ascii") as file:
        return int(file.read())


def make_events(folder, count):
    """Of two files in turn: equal events in a row would count once."""
    pair = [os.open(f"{folder}/noise{i}", os.O_WRONLY | os.O_CREAT) for i in range(2)]
    for i in range(count):
        os.pwrite(pair[i % 2], b"x", 0)
    for file in pair:
        os.close(file)


@scenario(files(3))
def a_change_behind_more_events_than_the_queue_holds_is_seen(site, folder, targets):
    count = max_queued_events()
    if count > 200_000:
        raise harness.Skip(f"max_queued_events is {count}")
    for i, target in enumerate(targets):
        stop_process(site.server)
        make_events(folder, count + 100)
        edit_file(f"{folder}/{i}.txt", body_of(i + 1))
        site.server.signal(signal.SIGCONT)
        site.expect(target, body_of(i + 1), "after the overflow")
        for later in targets[i + 1:]:
            site.expect(later, body_of(0), "untouched so far")


@scenario(files(30))
def changes_amid_thousands_of_others_are_seen(site, folder, targets):
    with other_process(make_events, folder, 1_000_000_000):
        for i, target in enumerate(targets):
            (replace_file, edit_file)[i % 2](f"{folder}/{i}.txt", body_of(i + 1))
            site.expect(target, body_of(i + 1), "amid the storm")


# --- the number of watches ------------------------------------------------------------------------

def watches_count(server):
    count = 0
    for name in os.listdir(f"/proc/{server.pid}/fdinfo"):
        with open(f"/proc/{server.pid}/fdinfo/{name}", encoding="ascii") as file:
            count += sum(line.startswith("inotify ") for line in file)
    return count


def flat_directories(folder):
    harness.make_tree({f"{i}/file.txt": body_of(0) for i in range(DIRECTORIES)}, folder)
    return ["0/file.txt"]


@scenario(flat_directories, (MANY,))
def files_in_more_directories_than_can_be_watched_are_fresh(site, folder, _):
    targets = [f"/{os.path.basename(folder)}/{i}/file.txt" for i in range(DIRECTORIES)]
    for target in targets:
        judge(site.clients[0].get(target), body_of(0), target)
    count = watches_count(site.server)
    truth(count <= WATCHES_MAX, f"{count} watches")
    site.settle(targets[::50])
    for i in range(0, DIRECTORIES, 50):
        edit_file(f"{folder}/{i}/file.txt", body_of(i + 1))
        site.expect(targets[i], body_of(i + 1), "after the edit")


def deep_directories(folder):
    """Few files at the end of long ways: each set of them alone has more directories than fit."""
    deep = "/".join("d" * DEPTH)
    for i in range(SETS):
        names = [f"{i}/{j}/{deep}/file.txt" for j in range(PATHS)]
        harness.make_tree({name: body_of(0) for name in names}, folder)
    return names


@scenario(deep_directories, (MANY,))
def watches_of_directories_no_longer_asked_for_do_not_add_up(site, folder, targets):
    last = f"/{os.path.basename(folder)}/{SETS - 1}/"
    for i in range(SETS):
        os.mkdir(site.path(f"new{i}"))
        site.ask([target.replace(last, last.replace(str(SETS - 1), str(i))) for target in targets])
        count = watches_count(site.server)
        truth(count <= 2 * WATCHES_MAX, f"{count} watches")
    edit_file(site.root + targets[0], body_of(1))
    site.expect(targets[0], body_of(1), "after the edit")


# --- many changes amid many requests --------------------------------------------------------------

def replaced_body(k):
    return body_of(k + 1, 20 + k % 977)


def change_on_demand(folder, demands, counters):
    """The other process: one change of each kind for each byte that comes."""
    for k in range(CHANGES):
        os.read(demands, 1)
        counters[BEGUN] = k + 1
        replace_file(f"{folder}/replaced/{k}", replaced_body(k))
        edit_file(f"{folder}/edited/{k}", body_of(k + 1))
        replace_file(f"{folder}/replaced/hot", replaced_body(k))
        edit_file(f"{folder}/edited/hot", body_of(k + 1))
        counters[DONE] = k + 1


def changing_files(folder):
    names = [f"{kind}/{k}" for k in [*range(CHANGES), "hot"] for kind in ("replaced", "edited")]
    harness.make_tree({name: body_of(0) for name in names}, folder)
    return names


def check_body(body, kind, k, done, begun):
    """done: the changes done before the request was sent; begun: begun when its answer came."""
    if k == "hot":
        changes = range(done - 1, begun)
    else:
        changes = {k if k < done else -1, k if k < begun else -1}
    new = {"replaced": replaced_body, "edited": lambda change: body_of(change + 1)}[kind]
    allowed = [body_of(0) if change < 0 else new(change) for change in changes]
    truth(body in allowed, f"/{kind}/{k} after {done} to {begun} changes: {body[:40]!r} "
          f"({len(body)} bytes)")


@scenario(changing_files, ("with_two_workers",))
def no_answer_is_mixed_short_or_older_than_its_request(site, folder, _):
    """Around the change under way: what has just changed, changes now, or is next."""
    counters = (ctypes.c_uint64 * 2).from_buffer(mmap.mmap(-1, mmap.PAGESIZE))
    demands, demanded = os.pipe()
    with other_process(change_on_demand, folder, demands, counters):
        rounds = REQUESTS // len(site.clients)
        for i in range(rounds):
            os.write(demanded, b"c" * ((i + 1) * CHANGES // rounds - i * CHANGES // rounds))
            ask_around_the_change(site.clients, f"/{os.path.basename(folder)}", counters, i)
        harness.wait_until(lambda: counters[DONE] == CHANGES, "every change was made")
    os.close(demands)
    os.close(demanded)


def ask_around_the_change(clients, folder, counters, i):
    kind = ("replaced", "edited")[i % 2]
    done = counters[DONE]
    k = "hot" if i % 5 == 0 else min(max(done + i % 7 - 3, 0), CHANGES - 1)
    for client in clients:
        client.request(f"{folder}/{kind}/{k}")
    bodies = [client.read_response().body for client in clients]
    begun = counters[BEGUN]
    for body in bodies:
        check_body(body, kind, k, done, begun)


if __name__ == "__main__":
    harness.main()
