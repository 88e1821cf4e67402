#!/usr/bin/env bash
# Sets up CloudWatch Observatory and runs it: ./start.sh --help
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
    cat <<'EOF'
CloudWatch Observatory

  ./start.sh              set up, fill the demo shop (7 days), serve http://127.0.0.1:5006
  ./start.sh serve        the same; takes the options of `observatory serve`
  ./start.sh test         run everything that CI runs
  ./start.sh test --fast  ruff, mypy, and the tests without servers, a browser or notebooks: about a minute
  ./start.sh help TOPIC   a page of the guides, or a search in them
  ./start.sh VERB ...     any other verb of the command line, as in ./start.sh health
  ./start.sh --help       this text

Environment
  PORT=8080                                 serve on another port
  OBSERVATORY_PROMETHEUS_URL=http://...     collect from your Prometheus instead of the demo
  OBSERVATORY_...                           any other setting: observatory/help/settings.md
  HASHES=no                                 take packages whose hashes are not those in .ci/requirements.hashes
  PYTHON=python3.12                         the Python to make .venv with (3.11 or newer)

The environment lives in .venv and is reused until pyproject.toml or a file of requirements changes.
EOF
}

say() { printf '\033[36m>\033[0m %s\n' "$*" >&2; }
die() { printf 'start.sh: %s\n' "$*" >&2; exit 1; }

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            command -v "$candidate"
            return
        fi
    done
    die "no Python 3.11 or newer found (tried ${PYTHON:-python3, python3.11 to 3.14}): install one, or name it with PYTHON=..."
}

# install EXTRAS: what is wanted is written down after it succeeded, so that a broken set-up is repeated.
install() {
    local extras=$1 wanted hashes stamp=.venv/.installed
    case $extras in *test*) hashes=.ci/requirements-test.hashes ;; *) hashes=.ci/requirements.hashes ;; esac
    wanted="$extras ${HASHES:-yes} $(cat pyproject.toml requirements.lock $hashes | cksum)"
    if [ -x .venv/bin/python ] && grep -qxF "$wanted" "$stamp" 2>/dev/null; then
        return
    fi
    if [ ! -x .venv/bin/python ]; then
        local python
        python=$(find_python)
        say "making .venv with $("$python" --version)"
        if command -v uv >/dev/null; then uv venv --quiet --python "$python" .venv; else "$python" -m venv .venv; fi
    fi
    say "installing packages from requirements.lock (a few minutes the first time)"
    local pip=(.venv/bin/python -m pip install --quiet --disable-pip-version-check)
    if command -v uv >/dev/null; then
        pip=(env "VIRTUAL_ENV=$PWD/.venv" uv pip install --quiet --compile-bytecode)
    else
        .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null
    fi
    if [ "${HASHES:-yes}" = no ]; then
        "${pip[@]}" --constraint requirements.lock --editable ".$extras"
    else
        # The file has all that is needed; pip would ask for hashes of `pydantic[email]` beside those of pydantic.
        "${pip[@]}" --require-hashes --no-deps --requirement "$hashes" ||
            die "a package could not be installed, see above. If your index serves packages that it built itself, so that a hash differs, and you trust it: HASHES=no ./start.sh"
        "${pip[@]}" --no-deps --no-build-isolation --editable .
    fi
    echo "$wanted" >>"$stamp"
}

prepare_tests() {
    install "[test]"
    export PATH="$PWD/.venv/bin:$PATH" JUPYTER_PLATFORM_DIRS=1
    # Tests start hundreds of processes: none of them should compile the package anew, whatever the environment says.
    python -m compileall -q observatory
    unset OBSERVATORY_PROMETHEUS_URL PORT PYTHONDONTWRITEBYTECODE
}

run_tests() {
    local types
    prepare_tests
    say "ruff";  ruff check . && ruff format --check .
    say "mypy, which has one thread, and beside it the notebooks: strict comparison of their outputs"
    mypy & types=$!
    pytest --nbval -q -n auto --dist loadfile -p no:cacheprovider notebooks
    wait $types
    say "pytest"
    # What takes longest comes first, so that no worker is left alone with it.
    [ $# -gt 0 ] || set -- tests/test_notebooks.py tests/store tests/api tests/ui tests --ignore tests/benchmarks
    pytest -n auto --dist loadfile --no-loadscope-reorder "$@"
}

# What is worth waiting for at each change: nothing that starts servers, a browser or notebooks is even imported.
run_fast_tests() {
    local left_out=(tests/ui tests/benchmarks tests/notebooks tests/test_notebooks.py tests/test_wheel.py tests/api/test_tools.py)
    prepare_tests
    ruff check --quiet . && ruff format --quiet --check .
    mypy --no-error-summary
    [ $# -gt 0 ] || set -- tests
    pytest -q -n auto --dist worksteal -m "not servers and not ui and not slow" \
        -p no:schemathesis -p no:nbval -p no:cov "${left_out[@]/#/--ignore=}" "$@"
}

case "${1:-serve}" in
    -h | --help) usage ;;
    help) [ $# -gt 1 ] || { usage; exit; }; install ""; exec .venv/bin/observatory "$@" ;;
    test)
        shift
        if [ "${1:-}" = --fast ]; then shift; run_fast_tests "$@"; else run_tests "$@"; fi
        ;;
    serve)
        [ $# -gt 0 ] && shift
        if [ -n "${PORT:-}" ]; then
            [[ $PORT =~ ^[0-9]+$ ]] || die "PORT=$PORT is no port: give a number, as in PORT=8080 ./start.sh"
            set -- --port "$PORT" "$@"
        fi
        install ""
        exec .venv/bin/observatory serve "$@"
        ;;
    -*) usage >&2; die "unknown option $1" ;;
    *) install ""; exec .venv/bin/observatory "$@" ;;
esac
