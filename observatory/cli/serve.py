"""``observatory serve`` and ``observatory demo``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from observatory.cli.common import open_runtime, progress_bar, read_settings, say

if TYPE_CHECKING:
    from observatory.config import Settings
    from observatory.runtime import Runtime


def serve(
    port: Annotated[int | None, typer.Option(help="Port of the pages and the REST API.")] = None,
    host: Annotated[
        str | None, typer.Option(help="Address to bind; beyond loopback only where one must sign in.")
    ] = None,
    num_procs: Annotated[int, typer.Option("--num-procs", min=1, max=64, help="Processes that share the port.")] = 1,
) -> None:
    """Serve the dashboard and the REST API, and collect in the background."""
    from observatory.runtime import Runtime
    from observatory.runtime.current import use
    from observatory.server.panel import serve
    from observatory.server.preflight import require_free_port, require_sign_in

    settings = read_settings(port=port, host=host)
    require_free_port(settings.host, settings.port)
    runtime = Runtime(settings)
    use(runtime)
    try:
        runtime.require_sources()
        require_sign_in(runtime)
        if settings.source_name == "demo":
            with progress_bar() as show:
                runtime.prepare(show)
            runtime.go_live()
        _greet(settings, runtime)
        serve(settings, num_procs)
    finally:
        runtime.close()


def demo() -> None:
    """Fill the demo shop's history and detect on it, without serving."""
    with open_runtime(prometheus_url=None) as runtime, progress_bar() as show:
        runtime.prepare(show)
        say(f"{len(runtime.store.services())} services in {runtime.store.url}, serve them: observatory serve")


def _greet(settings: Settings, runtime: Runtime) -> None:
    host = "127.0.0.1" if settings.host == "0.0.0.0" else settings.host  # noqa: S104 - a browser wants an address
    base = f"{'https' if settings.tls_cert else 'http'}://{host}:{settings.port}"
    say(f"\n  Dashboard   {base}/observatory\n  REST API    {base}/api/health/summary  ({base}/api/openapi.json)")
    if not runtime.sources:
        say(f"  Data        what was imported into {runtime.store.url}; nothing is collected")
    elif settings.source_name == "demo":
        fault = runtime.next_fault()
        say("  Data        the demo shop: seven days with labelled faults; look at Anomaly Radar")
        if fault:
            say(
                f"  Watch       at {fault.start.astimezone():%H:%M:%S} a {fault.kind.replace('_', ' ')} begins in "
                f"{fault.root_cause}; its card turns within about {settings.interval:.0f} s"
            )
        say("  Your own    OBSERVATORY_PROMETHEUS_URL=http://... ./start.sh serve")
    else:
        where = ", ".join(f"{name} {source.url.host}" for name, source in settings.prometheus_servers.items())
        say(f"  Data        {where}, every {settings.interval:.0f} s into {runtime.store.url}")
    say("  Stop        Ctrl-C\n")
