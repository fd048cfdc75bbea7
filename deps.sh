#!/bin/sh
# Installs the Debian packages that a set of gyre's targets needs, and only those that are missing.
# usage: deps.sh SET...   (build, test, bench, compare)
set -eu

build='gcc make pkg-config libc6-dev liburing-dev libinih-dev libmagic-dev'
build="$build zlib1g-dev libbrotli-dev libzstd-dev libssl-dev libcrypt-dev libarchive-dev"
test='clang clang-format libclang-rt-14-dev libcmocka-dev python3 curl wget wrk apache2-utils'
test="$test chromium chromium-driver fonts-dejavu-core aria2 git apt dpkg-dev ffmpeg brotli zstd"
# Debian starts the services of nginx, h2o, lighttpd and Caddy as it installs them, where it can:
# the comparisons start their own, on free ports, and neither need nor touch those.
compare='nginx-light libnginx-mod-http-brotli-static apache2-bin lighttpd lighttpd-mod-deflate'
compare="$compare caddy media-types"
bench="$compare h2o wrk apache2-utils strace brotli"

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# llhttp: the library where the distribution has one, else the sources Debian 12 ships for node.
has_llhttp() {
    is_installed libllhttp-dev || is_installed node-llhttp
}
llhttp_package() {
    if apt-cache show libllhttp-dev >/dev/null 2>&1; then
        echo libllhttp-dev
    else
        echo node-llhttp
    fi
}

wanted=
for set in "$@"; do
    case $set in
    build) wanted="$wanted $build llhttp" ;;
    test) wanted="$wanted $test" ;;
    bench) wanted="$wanted $bench" ;;
    compare) wanted="$wanted $compare" ;;
    *) echo "deps.sh: unknown set '$set'; expected build, test, bench or compare" >&2; exit 2 ;;
    esac
done

missing=
for package in $wanted; do
    if [ "$package" = llhttp ]; then
        has_llhttp || missing="$missing llhttp"
    else
        is_installed "$package" || missing="$missing $package"
    fi
done
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" != 0 ]; then
    sudo=sudo
    command -v sudo >/dev/null || {
        echo "deps.sh: neither root nor sudo; please install:$missing" >&2
        exit 1
    }
fi
echo "gyre: installing with apt-get:$missing"
$sudo apt-get update -q
case $missing in
*llhttp*) missing="${missing%% llhttp*} $(llhttp_package)${missing##* llhttp}" ;;
esac
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -q -y --no-install-recommends $missing
