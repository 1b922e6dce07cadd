"""Run the tests on all supported Python versions: `make tools`, then `nox`."""

import nox

nox.options.error_on_missing_interpreters = False


@nox.session(python=["3.10", "3.11", "3.12", "3.13", "3.14"])
def tests(session: nox.Session) -> None:
    """Run the tests, or those named: `nox -s tests-3.13 -- tests/test_sse.py`."""
    session.install("--editable", ".[test,release]")
    parallel = ["--numprocesses=auto", "--dist=loadscope", "--no-loadscope-reorder"]
    session.run("python", "-m", "pytest", *(session.posargs or parallel))
