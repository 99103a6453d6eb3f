"""Whom schemathesis plays: an administrator, and where a request may end whoever sends it, a customer who may be lost."""

import atexit
import itertools
import json
import os
import pathlib
import threading
import time
import urllib.request
import uuid

import schemathesis

USERS = os.environ["ESTORE_TEST_USERS"]
MAIL = pathlib.Path(os.environ["ESTORE_TEST_MAIL"])
ADMIN_TOKEN = os.environ["ESTORE_TEST_ADMIN_TOKEN"]
SEEN = os.environ["ESTORE_TEST_SEEN"]
PASSWORD = "correct horse battery staple 7"
# Here one acts on oneself: log out, erase, change the password.
OWN = (
    "/v1/users/me",
    "/v1/users/me/export",
    "/v1/users/me/sessions",
    "/v1/users/me/sessions/{id}",
    "/v1/users/me/totp",
    "/v1/users/me/totp/confirm",
    "/v1/users/me/totp/recovery-codes",
    "/v1/users/me/passkeys",
    "/v1/users/me/passkeys/begin",
    "/v1/users/me/passkeys/{id}",
    "/v1/tokens",
    "/v1/tokens/step-up",
    "/v1/tokens/step-up/begin",
)
# What may end the customer: the session, the account, the password or the refresh token.
ENDS = (
    "DELETE /v1/tokens",
    "PATCH /v1/users/me",
    "DELETE /v1/users/me",
    "PATCH /v1/users/{id}",
    "POST /v1/tokens/refresh",
)

turn = itertools.count()
seen = {}
open_url = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


def ask(method, path, body=None, token=None):
    request = urllib.request.Request(USERS + path, method=method, data=body and json.dumps(body).encode())
    request.add_header("content-type", "application/json")
    if token:
        request.add_header("authorization", f"Bearer {token}")
    with open_url(request, timeout=60) as answer:
        return json.load(answer)


def mailed_token(email):
    """The token of the letter that proves the address. Letters are named by when they were written."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for path in sorted(MAIL.glob("*-verification.eml"), reverse=True):
            lines = path.read_text().splitlines()
            if f"To: {email}" in lines:
                return next(line.removeprefix("Token: ") for line in lines if line.startswith("Token: "))
        time.sleep(0.05)
    raise TimeoutError(f"no letter to {email}")


class Customer(threading.local):
    """A worker's own customer; another one after each request that may have ended it."""

    token = None

    def present(self):
        if self.token is None:
            self.email = f"lost-{uuid.uuid4().hex}@shop.test"
            ask("POST", "/v1/users", {"email": self.email, "password": PASSWORD})
            ask("POST", "/v1/users/verify", {"token": mailed_token(self.email)})
            tokens = ask("POST", "/v1/tokens", {"email": self.email, "password": PASSWORD})
            self.token, self.refresh_token = tokens["access_token"], tokens["refresh_token"]
            self.id = ask("GET", "/v1/users/me", token=self.token)["id"]
        return self


customer = Customer()


def is_text(body, field):
    return isinstance(body, dict) and isinstance(body.get(field), str)


@schemathesis.hook
def before_call(context, case, kwargs):
    """What is made up is seldom somebody's id, password or token: every other one becomes the right one."""
    path, number = case.operation.path, next(turn)
    own = path in OWN
    if number % 8:
        case.headers["Authorization"] = f"Bearer {customer.present().token if own else ADMIN_TOKEN}"
    if path == "/v1/users/{id}" and case.path_parameters:
        value = str(case.path_parameters.get("id"))
        # The administrator who asks is among the first; those below a thousand become somebody who may be lost.
        if value.isdecimal() and (number % 2 or int(value) < 1000):
            case.path_parameters["id"] = customer.present().id
    if number % 2:
        return
    asks = path == "/v1/users/me" or (path in OWN and isinstance(case.body, dict) and "current_password" in case.body)
    if asks and isinstance(case.body, dict):
        case.body["current_password"] = PASSWORD
        if path == "/v1/users/me" and case.method.upper() == "PATCH":
            case.body["password"] = "another lantern on the marsh 5"
    elif path == "/v1/tokens" and is_text(case.body, "password"):
        case.body.update(email=customer.present().email, password=PASSWORD)
    elif path == "/v1/tokens/refresh" and is_text(case.body, "refresh_token"):
        case.body["refresh_token"] = customer.present().refresh_token


@schemathesis.hook
def after_call(context, case, response):
    operation = f"{case.method.upper()} {case.operation.path}"
    if operation in ENDS and response.status_code < 300:
        customer.token = None
    answers = seen.setdefault(operation, {})
    answers[response.status_code] = answers.get(response.status_code, 0) + 1


@atexit.register
def write_seen():
    with open(SEEN, "w", encoding="utf-8") as file:
        json.dump(seen, file, indent=1, sort_keys=True)
