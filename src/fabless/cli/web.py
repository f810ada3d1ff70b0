"""`fabless web`: the page of a case, live, in a browser of this machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from fabless.catalogue import read_case, shipped_cases
from fabless.errors import BadValue, Fault


def web(
    case: Annotated[str, typer.Argument(
        help=f"Case to begin with: one that ships with fabless ({', '.join(shipped_cases())}), or "
             "the path of a case file (.yaml). Without it: a menu of cases.",
        show_default=False)] = "",
    host: Annotated[str, typer.Option(
        help="Address to listen on; any but loopback asks every request for a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8765,
    token: Annotated[str, typer.Option(
        help="Token that every request must carry.",
        show_default="none on loopback, else one that is made and printed")] = "",
    store: Annotated[Path | None, typer.Option(
        help="Folder in which questions and answers are kept.",
        show_default="fabless in the user's cache folder")] = None,
    detail: Annotated[str, typer.Option(
        help="Depth of the answer behind the page of a case: quick, standard or deep.",
    )] = "standard",
) -> None:
    """Serve the page of each case, with inputs that can be moved, to a browser of this machine."""
    try:
        import uvicorn

        from fabless.web.app import app
        from fabless.web.settings import settings_of, usual_store
    except ImportError as error:
        raise BadValue(Fault("web", f"{error.name} is not installed", "the extra `web`",
                             "install it: pip install 'fabless[web]'")) from error
    from fabless.decide import detail_of

    settings = settings_of(host=host, port=port, token=token, store=store or usual_store(),
                           detail=detail_of(detail).name)
    if case:
        read_case(case)
        own = () if case in shipped_cases() else (Path(case).resolve(),)
        settings = replace(settings, first=case if not own else own[0].stem, own_cases=own)
    query = f"?token={settings.token}" if settings.token else ""
    shown = f"[{host}]" if ":" in host else host
    typer.echo(f"http://{shown}:{port}/{query} (Ctrl-C ends the server)")
    uvicorn.run(app(settings), host=host, port=port, log_level="warning", server_header=False)
