from replies.providers import Echo, Finish
from testing.provider_streams import read_stream


def test_the_echo_streams_its_text_word_by_word_and_says_what_it_is() -> None:
    outcome = read_stream(Echo(), [{"role": "user", "content": " two\n\nwords "}])
    assert outcome.text == "This is chatstore's built-in echo, not a language model. You said:  two\n\nwords "
    assert len(outcome.deltas) == 14 and outcome.deltas[-1] == Finish("stop")


def test_the_echo_repeats_the_texts_of_parts() -> None:
    parts = [{"type": "text", "text": "Look:"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]
    assert read_stream(Echo(), [{"role": "user", "content": parts}]).text.endswith("You said: Look:")


def test_the_echo_repeats_the_beginning_of_a_long_question() -> None:
    assert read_stream(Echo(), [{"role": "user", "content": "x" * 5_000}]).text.count("x") == 1_000
