"""Makes calls with the official Python clients of Kavenegar and Melipayamak, for the tests.

    calls.py < CALLS        prints a list of what each call returned

CALLS is a JSON object: "kavenegar" and "meli_payamak" are the base URLs to call in place of the
official ones, "account" has "key", "username" and "password", and "calls" is a list of
[client, method, arguments]. The client is "kavenegar", "rest" or "soap"; the arguments are the
object of parameters for the first, and an object of keyword arguments for the others.

Only scheme, host and port of the addresses are changed: path, headers and body stay as the clients
made them.
"""

import json
import sys
from urllib.parse import urlsplit

import requests
from kavenegar import KavenegarAPI
from melipayamak import Api


def redirect(base_urls):
    """Sends what goes to a host of `base_urls` to the base URL there."""
    send = requests.adapters.HTTPAdapter.send

    def redirected(adapter, request, **options):
        url = urlsplit(request.url)
        base = urlsplit(base_urls[url.hostname])
        request.headers["Host"] = url.netloc
        request.url = url._replace(scheme=base.scheme, netloc=base.netloc).geturl()
        return send(adapter, request, **options)

    requests.adapters.HTTPAdapter.send = redirected


def main():
    work = json.load(sys.stdin)
    redirect(
        {
            "api.kavenegar.com": work["kavenegar"],
            "rest.payamak-panel.com": work["meli_payamak"],
            "api.payamak-panel.com": work["meli_payamak"],
        }
    )
    account = work["account"]
    kavenegar = KavenegarAPI(account["key"])
    meli_payamak = Api(account["username"], account["password"])
    results = []
    for client, method, arguments in work["calls"]:
        if client == "kavenegar":
            positional = [arguments] if arguments else []
            results.append(getattr(kavenegar, method)(*positional))
        else:
            results.append(getattr(meli_payamak.sms(client), method)(**arguments))
    print(json.dumps(results))


main()
