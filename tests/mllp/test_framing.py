"""Blocks from streams that are cut anywhere, and what stands between blocks."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mllp.framing import Block, BlockReader, framed
from tests.mllp.wire import run


def read_all(*packets: bytes, limit: int = 1000) -> tuple[list[Block], int]:
    """Every block of a stream that arrives in these packets, and how many bytes were passed over."""

    async def read() -> tuple[list[Block], int]:
        stream = asyncio.StreamReader()
        blocks = BlockReader(stream, limit=limit, idle_seconds=5, frame_seconds=5)

        async def feed() -> None:
            for packet in packets:
                stream.feed_data(packet)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            stream.feed_eof()

        feeding = asyncio.create_task(feed())
        found = []
        while (block := await blocks.next()) is not None:
            found.append(block)
        await feeding
        return found, blocks.passed_over

    return asyncio.run(read())


BODIES = st.binary(min_size=1, max_size=60).filter(lambda body: b"\x1c" not in body and b"\x0bMSH" not in body)
BETWEEN = st.binary(max_size=6).filter(lambda noise: b"\x0b" not in noise)


@given(st.lists(st.tuples(BETWEEN, BODIES, st.booleans()), max_size=5), st.lists(st.integers(0, 400), max_size=12))
def test_messages_come_out_whole_however_the_stream_is_cut(
    parts: list[tuple[bytes, bytes, bool]], cuts: list[int]
) -> None:
    stream = b"".join(
        noise + b"\x0b" + body + b"\x1c" + (b"\r" if with_return else b"") for noise, body, with_return in parts
    )
    edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    packets = [stream[start:end] for start, end in itertools.pairwise(edges)]
    found, _ = read_all(*(packet for packet in packets if packet))
    assert [block.message for block in found] == [body for _, body, _ in parts]


def test_byte_by_byte_is_the_same_message() -> None:
    found, passed_over = read_all(*(bytes([each]) for each in framed(b"MSH|one") + framed(b"MSH|two")))
    assert [block.message for block in found] == [b"MSH|one", b"MSH|two"]
    assert passed_over == 0


def test_what_stands_between_blocks_is_passed_over_and_counted() -> None:
    found, passed_over = read_all(b"hello\r\n", framed(b"one"), b"\n\n", framed(b"two"))
    assert [block.message for block in found] == [b"one", b"two"]
    assert passed_over == 9


@pytest.mark.parametrize("end", [b"\x1c", b"\x1c\r", b"\x1c\n", b"\x1c\r\n", b"\x1c\x0d\x0d"])
def test_a_block_ends_at_fs_whatever_follows(end: bytes) -> None:
    found, _ = read_all(b"\x0bone" + end, b"\x0btwo" + end)
    assert [block.message for block in found] == [b"one", b"two"]


def test_an_unfinished_block_is_dropped() -> None:
    found, _ = read_all(framed(b"one"), b"\x0bMSH|half of it")
    assert [block.message for block in found] == [b"one"]


def test_an_empty_block_is_no_message() -> None:
    found, _ = read_all(framed(b""), framed(b"one"), framed(b""))
    assert [block.message for block in found] == [b"one"]


@pytest.mark.parametrize("size", [101, 150, 70_000, 400_000])
def test_a_block_beyond_the_limit_is_told_by_its_beginning_and_the_next_one_is_read(size: int) -> None:
    large = b"MSH|" + b"x" * (size - 4)
    found, _ = read_all(framed(large), framed(b"next"), limit=100)
    assert found[0].fault == "too_large"
    assert large.startswith(found[0].message) and found[0].message.startswith(b"MSH|")
    assert found[1:] == [Block(b"next")]


def test_a_block_of_exactly_the_limit_is_whole() -> None:
    found, _ = read_all(framed(b"x" * 100), limit=100)
    assert found == [Block(b"x" * 100)]


def test_a_message_inside_another_is_a_fault_and_a_line_break_in_a_text_is_not() -> None:
    found, _ = read_all(framed(b"MSH|one\rOBX|\x0bMSH|two\r"), framed(b"MSH|three\rOBX|line\x0bbreak"))
    assert [block.fault for block in found] == ["nested", ""]


def test_a_stream_of_nothing_but_noise_is_not_held() -> None:
    async def test() -> None:
        stream = asyncio.StreamReader()
        blocks = BlockReader(stream, limit=1000, idle_seconds=0.2, frame_seconds=5)

        async def feed() -> None:
            while True:
                stream.feed_data(b"noise" * 1000)
                await asyncio.sleep(0.01)

        feeding = asyncio.create_task(feed())
        with pytest.raises(TimeoutError):
            await blocks.next()
        feeding.cancel()
        assert len(blocks._buffer) <= 100_000

    run(test)
