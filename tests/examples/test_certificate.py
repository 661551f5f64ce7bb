"""What a certificate says in words."""

from __future__ import annotations

from deeplimit.examples import Certificate


def test_the_words():
    certificate = Certificate("HilbertClassifier", 1, 1, (), None, "ab" * 32)
    assert str(certificate) == "HilbertClassifier, 1 example of 1 class\nfingerprint " + "ab" * 32
    kept = Certificate("HilbertClassifier", 1234567, 2, ("exponent",), 2.5, "ab" * 32)
    first, second, third = str(kept).splitlines()
    assert first == "HilbertClassifier, 1,234,567 examples of 2 classes"
    assert "exponent 2.5" in second
    assert third == "fingerprint " + "ab" * 32
    assert second.endswith("; compare with a fit of what remains with this exponent")


def test_the_words_for_what_no_parameter_gives():
    for kept, words in (
        (("encoding",), "encoding of the table"),
        (("kinds",), "kinds of columns"),
        (("exponent", "encoding"), "exponent 2.5 and encoding of the table"),
    ):
        exponent = 2.5 if "exponent" in kept else None
        second = str(Certificate("M", 2, 2, kept, exponent, "ab" * 32)).splitlines()[1]
        assert second == (
            f"kept from the first fit: {words}; a fit of what remains may find others, and have "
            "another fingerprint"
        )
