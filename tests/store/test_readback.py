from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sayso.store.readback import Sieve, files_of, search
from sayso.store.traces import SHORTEST, Trace, of_bytes, of_texts, of_vector


@given(st.binary(min_size=SHORTEST, max_size=40), st.binary(max_size=200), st.binary(max_size=200))
def test_a_pattern_is_found_wherever_it_lies(pattern: bytes, before: bytes, after: bytes) -> None:
    sieve = Sieve([Trace("it", pattern, word=True)])
    places = [place for place, _ in sieve.search(before + pattern + after)]
    assert len(before) in places
    data = before + pattern + after
    assert places == [at for at in range(len(data)) if data.startswith(pattern, at)]


@given(st.lists(st.binary(min_size=SHORTEST, max_size=12), max_size=8), st.binary(max_size=300))
def test_many_patterns_are_found_as_each_alone_would_be(patterns: list[bytes], data: bytes) -> None:
    sieve = Sieve([Trace("it", pattern, word=True) for pattern in patterns])
    found = {(place, trace.pattern) for place, trace in sieve.search(data)}
    assert found == {(at, p) for p in patterns for at in range(len(data)) if data.startswith(p, at)}


def test_a_pattern_over_the_edge_of_a_block_is_found(tmp_path: Path) -> None:
    pattern = b"Unusualname of somebody"
    for shift in (-22, -11, -1, 0):
        file = tmp_path / "file"
        file.write_bytes(bytes((1 << 24) + shift) + pattern + bytes(9))
        [hit] = search([file], [Trace("it", pattern, word=True)]).hits
        assert hit.offset == (1 << 24) + shift


def test_any_third_of_a_vector_is_recognised_in_any_of_its_forms() -> None:
    drawn = np.random.default_rng(1).normal(size=128).astype(np.float32)
    sieve = Sieve(of_vector(drawn.tobytes()))
    for form in (drawn, drawn.astype(np.float16), drawn.astype(">f4"), drawn.astype(np.float64)):
        data = form.tobytes()
        third = data[len(data) // 3 : 2 * len(data) // 3]
        assert list(sieve.search(third))
        assert list(sieve.search(b"x" + third + b"y"))


def test_a_secret_is_recognised_in_hex_and_base64_of_any_beginning() -> None:
    import base64  # noqa: PLC0415 - only here

    secret = bytes(range(64, 160))
    sieve = Sieve(of_bytes("it", secret))
    for before in range(7):
        whole = bytes(range(before)) + secret + b"after"
        for text in (
            base64.b64encode(whole),
            base64.urlsafe_b64encode(whole),
            whole.hex().encode(),
        ):
            assert list(sieve.search(text)), before


def test_a_text_is_recognised_as_json_html_and_utf_16_write_it() -> None:
    sieve = Sieve(of_texts("it", ["Zo\u00eb <Unusual> & Name"]))
    for data in (
        "Zo\u00eb <Unusual> & Name".encode(),
        b"Zo\\u00eb <Unusual> & Name",
        "Zo\u00eb &lt;Unusual&gt; &amp; Name".encode(),
        "zo\u00eb <unusual> & name".encode(),
        "Zo\u00eb <Unusual> & Name".encode("utf-16-le"),
        b"Zo%C3%AB%20%3CUnusual%3E%20%26%20Name",
    ):
        assert list(sieve.search(data)), data


def test_links_are_not_followed_and_what_is_gone_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"words")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert list(files_of([tmp_path, tmp_path / "nothing"])) == [tmp_path / "real"]
    assert search([tmp_path / "gone"], []).files == 0
