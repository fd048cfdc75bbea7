"""peers: the servers under comparison, each a foreground child in a temporary directory of its own.

Nothing of the system's own services is touched: configurations are made from conf/, ports are free
ones of the loopback, and what was started is stopped by its pid. Where the user is root, everything
runs as an ordinary user, as a server should.
"""
import os
import pathlib

import docroot
import launch
import servers
from probe import Probe

HERE = pathlib.Path(__file__).resolve().parent
NOBODY = 65534
NAMES = ("gyre", "nginx", "apache", "lighttpd", "caddy")
OFFERS = {name: {"precompressed"} for name in NAMES if name != "lighttpd"} | {"lighttpd": set()}


class Peer:
    """One server that runs, and the tree that it serves. Use it in a with statement."""

    def __init__(self, name, gyre, directory):
        self.name = name
        self.offers = OFFERS[name]
        self.home = directory / name
        self.root = self.home / "root"
        self.root.mkdir(parents=True)
        docroot.make(self.root)
        self.is_ordinary_user = os.geteuid() == 0
        self.prefix = ordinary_user() if self.is_ordinary_user else []
        if self.is_ordinary_user:
            os.chown(self.home, NOBODY, NOBODY)
        if name == "gyre":
            self.server = servers.start_gyre(gyre, self.root, self.home, wrapper=self.prefix,
                                             arguments=("-c", str(HERE / "conf" / "gyre.ini")))
        else:
            self.server = launch.start(name, HERE / "conf", self.home, self.root,
                                         prefix=self.prefix)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.stop()

    @property
    def address(self):
        return self.server.address

    def is_running(self):
        return self.server.process.poll() is None

    def connect(self):
        return Probe(self.address)

    def get(self, target, *fields, **keywords):
        """One request on a connection of its own."""
        with self.connect() as client:
            return client.get(target, *fields, **keywords)


def ordinary_user():
    return [servers.find_program("setpriv"), f"--reuid={NOBODY}", f"--regid={NOBODY}",
            "--clear-groups"]
