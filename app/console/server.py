"""The console as a web application: addresses, login, security headers, and pages that change when the books do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from app.console import shown
from app.console.asked import NotThere, Page, Question, configuration_of, zone_of
from app.console.books import Books, BooksAway
from app.console.login import COOKIE, SESSION_SECONDS, Doors
from app.console.pages import equipment, figures, lots, now, orders, postings

FOLDER = Path(__file__).parent
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self';"
        " frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
LOGIN_BYTES = 4096
LOOK_SECONDS = 2.0
"""How often the books are looked at for a reader whose page is open."""
Handler = Callable[[Books, Question], Page]
PAGES: tuple[tuple[str, str, Handler], ...] = (
    ("/p/{plant}/needs", "needs", postings.needs),
    ("/p/{plant}/balance", "balance", figures.balance),
    ("/p/{plant}/orders", "orders", orders.orders),
    ("/p/{plant}/order/{order:path}", "orders", orders.order),
    ("/p/{plant}/lots", "lots", lots.lots),
    ("/p/{plant}/lot/{material}/{lot:path}", "lots", lots.lot),
    ("/p/{plant}/equipment", "equipment", equipment.machines),
    ("/p/{plant}/equipment/{equipment:path}", "equipment", equipment.machine),
    ("/p/{plant}/exceptions", "exceptions", figures.exceptions),
    ("/p/{plant}/exception/{letter}", "exceptions", figures.exception),
    ("/p/{plant}/quality", "quality", lots.quality),
    ("/p/{plant}/delivery", "delivery", figures.delivery),
    ("/p/{plant}/rules", "rules", figures.rules),
    ("/p/{plant}/posting/{posting}", "delivery", postings.posting),
    ("/p/{plant}/account", "balance", postings.account),
)
"""Address, the entry of the menu that it belongs to, what it shows."""
MENU = ("needs", "balance", "orders", "lots", "equipment", "exceptions", "quality", "delivery", "rules")


def console(books: Books, doors: Doors, *, hosts: Sequence[str], secure: bool = False) -> Starlette:
    """`hosts`: the names by which it may be called; a page of another site that points its name here gets nothing.
    `secure`: it is reached by https only, and its cookie goes nowhere else."""
    site = _Site(books, doors, secure)
    routes = [
        Route("/", site.page("now", now.now)),
        *(Route(path, site.page(menu, handler)) for path, menu, handler in PAGES),
        Route("/find", site.find),
        Route("/events", site.events),
        Route("/login", site.login, methods=["GET", "POST"]),
        Route("/logout", site.logout, methods=["POST"]),
        Mount("/static", StaticFiles(directory=FOLDER / "static")),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False)],
        exception_handlers={404: site.not_found, 500: site.failed},
    )


class _Site:
    def __init__(self, books: Books, doors: Doors, secure: bool) -> None:
        self._books, self._doors, self._secure = books, doors, secure
        self._texts = yaml.safe_load((FOLDER / "texts.yaml").read_text(encoding="utf-8"))
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {"moment": shown.moment, "age": shown.age, "part": lambda text: quote(str(text), safe="")}
        self._templates.globals |= {"quantity": shown.quantity, "t": self._texts, "menu": MENU}

    # -- pages

    def page(self, menu: str, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            outside = self._outside(request)
            return outside if outside is not None else await run_in_threadpool(self._made, request, menu, handler)

        return answer

    def _made(self, request: Request, menu: str, handler: Handler) -> Response:
        plant = request.path_params.get("plant", "")
        try:
            configuration = configuration_of(self._books, plant) if plant else {}
            if plant and not configuration:
                raise NotThere(plant)
            path = {name: str(value) for name, value in request.path_params.items()}
            asked = Question(plant, zone_of(configuration), path, dict(request.query_params))
            page = handler(self._books, asked)
            plant = plant or page.values.get("only", "")
            common = {
                "plant": plant,
                "here": menu,
                "title": page.title,
                "zone": asked.zone,
                "clock": now.clock_of(self._books, plant) if plant else 0,
            }
            return self._html(page.template, 200, **{**common, **page.values})
        except NotThere as error:
            return self._missing(str(error), plant, menu)
        except BooksAway as error:
            return self._html(
                "said.html",
                503,
                plant="",
                here=menu,
                title=self._texts["away"]["title"],
                what=self._texts["away"]["what"],
                detail=str(error),
            )

    def _missing(self, detail: str, plant: str = "", menu: str = "") -> Response:
        texts = self._texts["missing"]
        return self._html(
            "said.html",
            404,
            plant="" if plant == detail else plant,
            here=menu,
            title=texts["title"],
            what=texts["what"],
            detail=detail,
        )

    def _html(self, template: str, status: int, **values: Any) -> Response:
        return HTMLResponse(self._templates.get_template(template).render(**values), status, headers=HEADERS)

    async def find(self, request: Request) -> Response:
        outside = self._outside(request)
        return outside if outside is not None else await run_in_threadpool(self._found, request)

    def _found(self, request: Request) -> Response:
        asked = Question(query=dict(request.query_params))
        try:
            link, found = figures.find(self._books, asked)
        except BooksAway as error:
            texts = self._texts["away"]
            return self._html("said.html", 503, plant="", here="", title=texts["title"], what=texts["what"], detail=str(error))
        if link:
            return RedirectResponse(link, 303, headers=HEADERS)
        return self._html(
            "found.html", 200, plant="", here="", title=self._texts["found"]["title"], found=found, text=asked.query.get("q", "")
        )

    async def not_found(self, request: Request, error: Exception) -> Response:
        return self._outside(request) or self._missing(request.url.path)

    async def failed(self, request: Request, error: Exception) -> Response:
        return Response("The console failed; its log says why.", 500, headers=HEADERS, media_type="text/plain")

    # -- live

    async def events(self, request: Request) -> Response:
        return self._outside(request) or StreamingResponse(self._marks(request), media_type="text/event-stream", headers=HEADERS)

    async def _marks(self, request: Request) -> AsyncIterator[str]:
        last = None
        while not await request.is_disconnected() and self._doors.is_open(request.cookies.get(COOKIE, "")):
            try:
                mark = await run_in_threadpool(self._books.mark)
            except BooksAway:
                mark = "away"
            yield f"event: mark\ndata: {mark}\n\n" if mark != last else ": still here\n\n"
            last = mark
            await asyncio.sleep(LOOK_SECONDS)

    # -- who is let in

    def _outside(self, request: Request) -> Response | None:
        """None: this reader has a session."""
        if self._doors.is_open(request.cookies.get(COOKIE, "")):
            return None
        if request.url.path == "/events":
            return Response("log in", 401, headers=HEADERS, media_type="text/plain")
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?to={quote(asked, safe='')}", 303, headers=HEADERS)

    async def login(self, request: Request) -> Response:
        to = _own(request.query_params.get("to", "/"))
        if request.method == "GET":
            return self._asked_for_token(to, False, 200)
        length = request.headers.get("content-length", "")
        if not length.isdigit() or int(length) > LOGIN_BYTES:
            return Response("too long", 413, headers=HEADERS, media_type="text/plain")
        form = parse_qs((await request.body())[:LOGIN_BYTES].decode("utf-8", "replace"))
        session = self._doors.enter(form.get("token", [""])[0])
        if session is None:
            return self._asked_for_token(to, True, 403)
        answer = RedirectResponse(to, 303, headers=HEADERS)
        answer.set_cookie(COOKIE, session, max_age=SESSION_SECONDS, httponly=True, samesite="strict", secure=self._secure)
        return answer

    def _asked_for_token(self, to: str, wrong: bool, status: int) -> Response:
        return self._html("login.html", status, plant="", here="", title=self._texts["login"]["title"], to=to, wrong=wrong)

    async def logout(self, request: Request) -> Response:
        self._doors.leave(request.cookies.get(COOKIE, ""))
        answer = RedirectResponse("/login", 303, headers=HEADERS)
        answer.delete_cookie(COOKIE)
        return answer


def _own(address: str) -> str:
    """An address of this console; anything else becomes its first page."""
    return address if address.startswith("/") and not address.startswith(("//", "/\\")) and "\n" not in address else "/"
