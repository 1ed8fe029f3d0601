#!/bin/sh
# setup.sh SET...: makes sure that what a Debian 12 machine needs for the named sets is there.
# It says what it installs and what for, asks apt and npm for it (with sudo where not root), and
# does nothing at all, without a look at the network, when everything is there already.
# SETUP=true make ... goes without it.
set -eu
cd "$(dirname "$0")/.."

# The lists of packages. Suites of tests and the benchmarks keep their own beside them, in PACKAGES: a
# name a line, and what for.
packages_of() {
    case $1 in
    build) echo make gcc libc6-dev meson ninja-build pkg-config python3 \
               libpcap-dev zlib1g-dev libzstd-dev libmicrohttpd-dev libcurl4-openssl-dev libyaml-dev nettle-dev libmaxminddb-dev libpsl-dev libnghttp2-dev libxxhash-dev \
               libcmocka-dev ;;
    web)   has_node || echo nodejs npm ;;
    test)  listed_in tests/*/PACKAGES ;;
    fuzz)  echo clang llvm libclang-rt-14-dev ;;
    bench) bench_packages ;;
    lint)  echo clang clang-tidy clang-format python3 ;;
    esac
}

listed_in() {
    for list; do
        [ ! -f "$list" ] || sed 's/#.*//' "$list"
    done
}

# Without ../shared/bench the benchmarks make a little traffic of their own, for which the first four
# packages will do.
bench_packages() {
    all=$(listed_in bench/PACKAGES | grep -v '^ *$')
    if [ -d ../shared/bench ]; then echo "$all"; else echo "$all" | head -n 4; fi
}

purpose_of() {
    case $1 in
    build) echo 'the compiler, Meson and the libraries that vantage links with' ;;
    web)   echo 'Node.js and npm, which bundle the web page' ;;
    test)  echo 'servers and tools that the tests talk to and compare with' ;;
    fuzz)  echo 'clang with libFuzzer' ;;
    bench) echo 'traffic tools and servers of the benchmarks' ;;
    lint)  echo 'clang-tidy and clang-format' ;;
    esac
}

# Debian's Node.js 18 will do, and so will any newer one that is on the PATH.
has_node() {
    command -v npm >/dev/null && command -v node >/dev/null &&
        [ "$(node -p 'parseInt(process.versions.node) >= 18' 2>/dev/null)" = true ]
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "setup.sh: installing needs root: run it as root, or install sudo" >&2
        exit 1
    fi
}

# The names among the arguments that dpkg does not have as installed.
missing_of() {
    installed=$(dpkg-query -W -f='${db:Status-Abbrev}${Package}\n' "$@" 2>/dev/null || true)
    for package; do
        printf '%s\n' "$installed" | grep -qx "ii $package" || echo "$package"
    done
}

# apt starts the servers that it installs; the tests start their own. A policy-rc.d that forbids it
# stands only while apt runs, and only where the machine has none of its own.
apt_install() {
    as_root true
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        trap 'as_root rm -f $policy' EXIT
        trap 'exit 1' INT TERM
        printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
        as_root chmod 755 $policy
    fi
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends "$@"
}

sets=${*:-build web}
for set in $sets; do
    [ -n "$(purpose_of "$set")" ] ||
        { echo "setup.sh: no set '$set'; there are: build web test fuzz bench lint" >&2; exit 2; }
done
wanted=$(for set in $sets; do packages_of "$set"; done | tr ' ' '\n' | sort -u)
if ! command -v dpkg-query >/dev/null; then
    echo "setup.sh: this is not Debian; see to it that the likes of these are there:" $wanted >&2
else
    missing=$(missing_of $wanted)
    if [ -n "$missing" ]; then
        echo "setup: installing from Debian, with apt-get:"
        for set in $sets; do
            here=$(missing_of $(packages_of "$set") | tr '\n' ' ')
            [ -z "$here" ] || printf '  %s(%s)\n' "$here" "$(purpose_of "$set")"
        done
        apt_install $missing
    fi
fi

case " $sets " in
*' web '*)
    if [ -f web/package-lock.json ] &&
        ! [ web/node_modules/.package-lock.json -nt web/package-lock.json ]; then
        echo "setup: installing the web page's packages into web/node_modules, with npm ci"
        (cd web && npm ci --no-audit --no-fund --loglevel=error)
        touch web/node_modules/.package-lock.json
    fi
    ;;
esac
