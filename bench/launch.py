"""launch: the servers that gyre is compared with: where they are, how they start, what they say.

Nothing of the system's own services is touched: a configuration is made from a template in a
directory of its own, the port is a free one of the loopback, the program stays in the foreground
and is stopped by its pid.
"""
import os
import pathlib
import re
import shutil
import subprocess

import servers

PROGRAMS = {"nginx": "nginx", "h2o": "h2o", "lighttpd": "lighttpd", "apache": "apache2",
            "caddy": "caddy"}
VERSION_ARGUMENTS = {"gyre": "--version", "nginx": "-v", "h2o": "--version", "apache": "-v",
                     "lighttpd": "-v", "caddy": "version"}
TITLES = {"caddy": "Caddy "}  # who does not say its name
APACHE_MODULES = "/usr/lib/apache2/modules"
BROTLI_STATIC = pathlib.Path("/usr/lib/nginx/modules/ngx_http_brotli_static_module.so")


def is_installed(name):
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    return shutil.which(PROGRAMS[name], path=path) is not None


def available(names, gyre):
    """Those of the names whose program is here, and those whose is not."""
    here = [name for name in names if name == "gyre" and os.access(gyre, os.X_OK)
            or name != "gyre" and is_installed(name)]
    return here, [name for name in names if name not in here]


def version(name, gyre):
    """What the program says of itself, in one line."""
    program = str(gyre) if name == "gyre" else servers.find_program(PROGRAMS[name])
    said = subprocess.run([program, VERSION_ARGUMENTS[name]], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20).stdout
    line = said.strip().splitlines()[0] if said.strip() else "unknown"
    line = re.sub(r"^(nginx|Server) version: | - a light.*| version\b", "", line)
    return TITLES.get(name, "") + line


def command(name, home, path):
    program = servers.find_program(PROGRAMS[name])
    return {
        "nginx": [program, "-p", str(home), "-e", str(home / "error.log"), "-c", str(path)],
        "h2o": [program, "-m", "worker", "-c", str(path)],
        "apache": [program, "-f", str(path), "-DFOREGROUND"],
        "lighttpd": [program, "-D", "-f", str(path)],
        "caddy": [program, "run", "--adapter", "caddyfile", "--config", str(path)],
    }[name]


def user_line(name):
    """For a server that root starts: whom its workers run as. Apache refuses to stay root."""
    lines = {"nginx": "user root;", "h2o": "user: root", "apache": "User nobody"}
    return lines.get(name, "") if os.geteuid() == 0 else ""


def fill(text, words):
    return re.sub(r"@([A-Z_]+)@", lambda match: str(words[match[1]]), text)


def write_configuration(name, folder, home, words):
    """From folder/NAME.conf (or a name of its own) into home; returns its path."""
    source = folder / {"caddy": "Caddyfile", "gyre": "gyre.ini"}.get(name, f"{name}.conf")
    has_brotli = BROTLI_STATIC.exists()
    known = {"DIRECTORY": home, "MODULES": APACHE_MODULES, "USER": user_line(name),
             "BROTLI": f"load_module {BROTLI_STATIC};" if has_brotli else "",
             "BROTLI_STATIC": "brotli_static on;" if has_brotli else ""}
    path = home / source.name
    path.write_text(fill(source.read_text(), known | words))
    return path


def log_words(is_logged):
    """Lines of a template count, or are comments."""
    return {"LOGGED": "" if is_logged else "# ", "UNLOGGED": "# " if is_logged else ""}


def start(name, folder, home, root, words=None, prefix=(), **options):
    """A running peer that serves `root`, with `folder`'s configuration; its files are in `home`."""
    port = servers.free_port()
    path = write_configuration(name, folder, home, {"ROOT": root, "PORT": port, **(words or {})})
    environment = {**os.environ, "HOME": str(home), "XDG_DATA_HOME": str(home),
                   "XDG_CONFIG_HOME": str(home)}
    server = servers.Server(name, [*prefix, *command(name, home, path)], home, env=environment,
                            **options)
    server.port = port
    servers.wait_for_port(server)
    return server
