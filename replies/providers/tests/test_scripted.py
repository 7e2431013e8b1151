import asyncio

import pytest

from replies import providers
from replies.providers import Finish, Reasoning, Text, ToolCall
from testing import scripted
from testing.provider_streams import Outcome, read_stream
from testing.scripted import script


def read(question: str) -> Outcome:
    return read_stream(providers.build("scripted", scripted.ROUTE), [{"role": "user", "content": question}])


def test_a_script_decides_the_deltas() -> None:
    steps = [
        "Fi",
        0,
        ["reasoning", "Hm."],
        ["repeat", 2, "x", 0],
        ["tool_call", 0, "a", "f", "{}"],
        ["finish", "length"],
    ]
    expected = [Text("Fi"), Reasoning("Hm."), Text("x"), Text("x"), ToolCall(0, "a", "f", "{}"), Finish("length")]
    assert read(script(*steps)) == (expected, "")
    assert scripted.calls[-1].messages == [{"role": "user", "content": script(*steps)}]


def test_a_script_decides_the_failures() -> None:
    assert read(script("Fi", ["fail", "It failed."])) == ([Text("Fi")], "It failed.")
    assert read(script("Fi", ["break off"])) == ([Text("Fi")], "")
    with pytest.raises(RuntimeError):
        read(script(["crash"]))


def test_a_script_can_stall() -> None:
    async def wait() -> None:
        stream = providers.build("scripted", scripted.ROUTE).stream(
            [{"role": "user", "content": script(["stall"])}], {}
        )
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 0.05)

    asyncio.run(wait())


def test_any_other_question_has_the_usual_reply() -> None:
    assert read("Hello") == ([Text("Fi"), Text("ne."), Finish("stop", 7, 2)], "")
