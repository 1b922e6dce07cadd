from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from pf_exporter.config.types import PORT, VC
from pf_exporter.recording.pseudonyms import Pseudonyms

KEY = b"the key of these tests"


@given(
    st.lists(
        st.from_regex(r"\APF-(AP|AE|BC|CC|L3-CUST)(-[A-Z0-9]{1,4}){0,3}-[0-9]{1,7}(-PF)?\Z"), unique=True
    )
)
def test_circuits_stay_distinct_and_of_their_kind(circuits: list[str]) -> None:
    """Circuits have as many pseudonyms, which look like circuits of their kind and fit a stream's filter."""
    text = Pseudonyms(KEY).text
    pseudonyms = [text(circuit) for circuit in circuits]
    assert len(set(pseudonyms)) == len(circuits)
    for circuit, pseudonym in zip(circuits, pseudonyms, strict=True):
        assert pseudonym.count("-") == circuit.count("-"), circuit
        assert pseudonym[:5] == circuit[:5]
        assert pseudonym.endswith("-PF") == circuit.endswith("-PF")
        assert PORT.parse(pseudonym)
        assert VC.parse(text(f"{circuit}&{circuit}")) == f"{pseudonym}&{pseudonym}"
        assert text(circuit.removesuffix("-PF")) == pseudonym.removesuffix("-PF")


@given(st.text(max_size=80) | st.from_regex(r"\A[A-Z0-9]{1,4}(-[A-Z0-9]{1,4}){0,3}(-PF)?(&[A-Z]-1)?\Z"))
def test_an_id_with_pf_is_the_id_without(circuit: str) -> None:
    """Any ID with -PF has the pseudonym of the ID without it, and -PF."""
    text = Pseudonyms(KEY).text
    assert text(f"{circuit}-PF") == f"{text(circuit)}-PF"


def test_the_shapes_of_circuits() -> None:
    """The pseudonym of a port looks like a port, that of a virtual circuit like a virtual circuit."""
    text = Pseudonyms(KEY).text
    assert re.fullmatch(r"PF-AP-[A-Z]{3}[1-9]-\d{12}", text("PF-AP-LAX1-1234"))
    assert re.fullmatch(r"PF-AP-[A-Z]{3}[1-9]-\d{12}-PF", text("PF-AP-ABC-999-PF"))
    assert re.fullmatch(r"PF-AE-\d{12}", text("PF-AE-1234"))
    assert re.fullmatch(r"PF-BC(-[A-Z]{3}[1-9]){2}-\d{12}-PF", text("PF-BC-LAX1-NYC1-5678-PF"))


def test_pseudonyms_depend_on_the_key() -> None:
    """With one key a text has one pseudonym; with another key, or a random one, it has another."""
    pseudonyms = Pseudonyms(KEY)
    assert pseudonyms.text("Hank") == Pseudonyms(KEY).text("Hank") == pseudonyms.text("Hank")
    assert len({Pseudonyms(key).text("Hank") for key in (KEY, b"other", b"k" * 100, None, None, b"")}) == 6
