"""The only place where cookies are set: none for scripts, none along with another site's post, none without https."""

from starlette.responses import Response

from shared.settings import RunSettings


def keep_cookie(response: Response, run: RunSettings, name: str, value: str, seconds: int, path: str = "/") -> None:
    """Set a cookie for so long. Where the site is https, as every production's is, it is sent over https alone."""
    response.set_cookie(name, value, seconds, path=path, httponly=True, samesite="lax", secure=run.is_https)


def drop_cookie(response: Response, run: RunSettings, name: str, path: str = "/") -> None:
    """Take a cookie back."""
    response.delete_cookie(name, path, httponly=True, samesite="lax", secure=run.is_https)
