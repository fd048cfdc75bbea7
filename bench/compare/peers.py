"""peers: the servers under comparison, each a foreground child in a temporary directory of its own.

Nothing of the system's own services is touched: configurations are made from conf/, ports are free
ones of the loopback, and what was started is stopped by its pid. Where the user is root, everything
runs as an ordinary user, as a server should.
"""
import os
import pathlib
import re
import shutil
import subprocess

import docroot
import servers
from probe import Probe

HERE = pathlib.Path(__file__).resolve().parent
NOBODY = 65534
BROTLI_STATIC = pathlib.Path("/usr/lib/nginx/modules/ngx_http_brotli_static_module.so")
APACHE_MODULES = "/usr/lib/apache2/modules"
NAMES = ("gyre", "nginx", "apache", "lighttpd", "caddy")
PROGRAMS = {"nginx": "nginx", "apache": "apache2", "lighttpd": "lighttpd", "caddy": "caddy"}
VERSION_ARGUMENTS = {"gyre": "--version", "nginx": "-v", "apache": "-v", "lighttpd": "-v",
                     "caddy": "version"}
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
            self.server = self.start_other()

    def start_other(self):
        port = servers.free_port()
        path = write_configuration(self.name, self.home, self.root, port)
        server = servers.Server(self.name, [*self.prefix, *command(self.name, self.home, path)],
                                self.home, env={**os.environ, "HOME": str(self.home),
                                                "XDG_DATA_HOME": str(self.home),
                                                "XDG_CONFIG_HOME": str(self.home)})
        server.port = port
        servers.wait_for_port(server)
        return server

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


def program_of(name, gyre):
    return str(gyre) if name == "gyre" else servers.find_program(PROGRAMS[name])


def command(name, home, path):
    program = servers.find_program(PROGRAMS[name])
    return {
        "nginx": [program, "-p", str(home), "-e", str(home / "error.log"), "-c", str(path)],
        "apache": [program, "-f", str(path), "-DFOREGROUND"],
        "lighttpd": [program, "-D", "-f", str(path)],
        "caddy": [program, "run", "--adapter", "caddyfile", "--config", str(path)],
    }[name]


def write_configuration(name, home, root, port):
    source = HERE / "conf" / ("Caddyfile" if name == "caddy" else f"{name}.conf")
    has_brotli = BROTLI_STATIC.exists()
    words = {"DIRECTORY": home, "ROOT": root, "PORT": port, "MODULES": APACHE_MODULES,
             "BROTLI": f"load_module {BROTLI_STATIC};" if has_brotli else "",
             "BROTLI_STATIC": "brotli_static on;" if has_brotli else ""}
    text = re.sub(r"@([A-Z_]+)@", lambda match: str(words[match[1]]), source.read_text())
    path = home / source.name
    path.write_text(text)
    return path


def version(name, gyre):
    """What the program says of itself, in one line."""
    said = subprocess.run([program_of(name, gyre), VERSION_ARGUMENTS[name]], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20).stdout
    line = said.strip().splitlines()[0] if said.strip() else "unknown"
    line = re.sub(r"^(nginx|Server) version: | - a light.*", "", line)
    return f"Caddy {line}" if name == "caddy" else line


def available(names, gyre):
    """Those of the names whose program is here, and those whose is not."""
    here = [name for name in names if name == "gyre" and os.access(gyre, os.X_OK)
            or name != "gyre" and is_installed(PROGRAMS[name])]
    return here, [name for name in names if name not in here]


def is_installed(program):
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is not None
