"""Values that stand for secrets and personal data in responses; no client may keep or show them."""

from __future__ import annotations

MD5 = "canary-md5-$9$k3Ftn6CuO1Ecyl"
PAIRING_KEY = "canary-pairing-7e51371e-72a3-40b5-b844/us-east1/2"
CLOUD_ACCOUNT = "canary-account-023456789"
EMAIL = "canary.person@example.com"
PRICE = 31337.42
"""The monthly price of every service."""

CANARIES = (MD5, PAIRING_KEY, CLOUD_ACCOUNT, EMAIL, str(PRICE))
"""All of them as text, for tests that search for them."""
