# Read by the other scripts: find a Python that can make environments, or install what it needs.

# Set $python to one of at least 3.11 with venv; end with a sentence if there is none to be had.
need_python() {
    python=${PYTHON:-python3}
    if ! usable "$python" && command -v apt-get >/dev/null; then
        as_root apt-get update -q
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y python3 python3-venv
    fi
    usable "$python" && return
    echo "photocloak needs Python 3.11 or newer with venv (Debian 12, Ubuntu 24.04); $python" \
        "is not. Install one and name it: PYTHON=/path/to/python3 sh $0" >&2
    exit 1
}

usable() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Set $python to the one in $PHOTOCLOAK_PYTHON, an environment that has photocloak already, or to
# that of .venv in the repository, made with an editable install if need be.
need_environment() {
    if [ -n "${PHOTOCLOAK_PYTHON:-}" ]; then
        python=$PHOTOCLOAK_PYTHON
        return
    fi
    if ! [ -x .venv/bin/python ]; then
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
