"""What an account says about itself."""

from __future__ import annotations

from pathlib import Path

from tests.config.helpers import TOKEN, load_text


def test_names_of_keys(tmp_path: Path) -> None:
    """Advice names the variables of an account from the environment, and the keys of one from a file."""
    advice = "check api_url and proxy_url_file, or the login"
    (of_file,) = load_text(tmp_path, "accounts: [{token: x}]", environ={}).accounts
    assert of_file.in_own_terms(advice) == advice
    (of_environment,) = load_text(tmp_path, "log: {}", environ=TOKEN).accounts
    assert of_environment.in_own_terms(advice) == "check PF_HOST and PF_PROXY_URL_FILE, or the login"
    assert of_environment == of_file.__class__(token=of_environment.token)
