# Read by the other scripts: find a Python that can make environments, or install what it needs.

# A login has it; a service or a cron job may not.
export HOME="${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}"

# Set $python to one of at least 3.11 with venv; end with a sentence if there is none to be had.
need_python() {
    python=${PYTHON:-python3}
    if ! usable "$python" && command -v apt-get >/dev/null; then
        install_packages python3 python3-venv
    fi
    usable "$python" && return
    echo "photocloak needs Python 3.11 or newer with venv (Debian 12, Ubuntu 24.04); $python" \
        "is not. Install one and name it: PYTHON=/path/to/python3 sh $0" >&2
    exit 1
}

usable() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# Install Debian packages; arguments go to `apt-get install`. Who cannot become root is told what
# root has to run.
install_packages() {
    become=
    [ "$(id -u)" = 0 ] || become=sudo
    if { [ -z "$become" ] || command -v sudo >/dev/null; } &&
        $become apt-get update -q &&
        $become env DEBIAN_FRONTEND=noninteractive apt-get install -q -y "$@"; then
        return
    fi
    echo "These could not be installed: $*. As root (or ask whoever is), run" >&2
    echo "    apt-get update && apt-get install $*" >&2
    echo "and then again, as yourself: sh $0" >&2
    exit 1
}

# Set $python to the one in $PHOTOCLOAK_PYTHON, an environment that has photocloak already, or to
# that of .venv in the repository, made with an editable install if need be.
need_environment() {
    if [ -n "${PHOTOCLOAK_PYTHON:-}" ]; then
        python=$PHOTOCLOAK_PYTHON
        return
    fi
    if ! [ -x .venv/bin/pip ]; then  # which comes last: one half made is made again
        need_python
        "$python" -m venv .venv
    fi
    python=$(pwd)/.venv/bin/python
    "$python" -m pip install --quiet --editable '.[cpu]'
}

# Install one of pyproject.toml's dependency groups; pip knows them from 25.1 on.
need_group() {
    "$python" -m pip install --quiet --upgrade 'pip>=25.1'
    "$python" -m pip install --quiet --group "$1"
}
