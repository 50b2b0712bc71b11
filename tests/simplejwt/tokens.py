"""What a Django service with djangorestframework-simplejwt does with tokens, for the tests.

    tokens.py mint KEY USER_ID            prints {"access": ..., "refresh": ...}
    tokens.py verify KEY access TOKEN     prints the claims, or fails
    tokens.py verify KEY refresh TOKEN

USER_ID is written as an integer when it looks like one after a leading "int:", else as text.
"""

import json
import sys
from types import SimpleNamespace

import django
from django.conf import settings


def configure(key):
    settings.configure(
        SECRET_KEY="not used: tokens have a key of their own",
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework"],
        USE_TZ=True,
        SIMPLE_JWT={"SIGNING_KEY": key},
    )
    django.setup()


def mint(user_id):
    from rest_framework_simplejwt.tokens import RefreshToken

    is_int = user_id.startswith("int:")
    refresh = RefreshToken.for_user(SimpleNamespace(id=user_id.removeprefix("int:"), is_active=True))
    if is_int:
        # Older releases wrote the integer that the user's row has.
        refresh["user_id"] = int(user_id.removeprefix("int:"))
    print(json.dumps({"access": str(refresh.access_token), "refresh": str(refresh)}))


def verify(token_type, token):
    if token_type == "access":
        from rest_framework_simplejwt.authentication import JWTAuthentication

        claims = JWTAuthentication().get_validated_token(token.encode())
    else:
        from rest_framework_simplejwt.tokens import RefreshToken

        claims = RefreshToken(token)
    print(json.dumps(claims.payload))


if __name__ == "__main__":
    command, key, *arguments = sys.argv[1:]
    configure(key)
    {"mint": mint, "verify": verify}[command](*arguments)
